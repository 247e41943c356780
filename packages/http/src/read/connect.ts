import type { PoolConfig } from '@headframe/pool';
import { creditsAccounts } from '../context.js';
import type { ConnectInfo } from '../schemas/connect.js';
import type { PoolView } from '../view.js';

type Listener = PoolConfig['listeners'][number];
type ListenerInfo = ConnectInfo['listeners'][number];

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$/;
const ANY_HOST: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);
const PASSWORD = 'x';

/** The host of a Host header or of a URL's authority, without its port; undefined when it is none. */
export function hostOf(authority: string | undefined): string | undefined {
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(authority ?? '')?.[1];
  return host !== undefined && HOST.test(host) ? host : undefined;
}

/**
 * What a miner needs to connect. `host` is what the page was opened with: a pool behind 0.0.0.0 knows no better name
 * of itself.
 */
export function connectInfoOf(view: PoolView, host: string | undefined): ConnectInfo {
  const takesAddresses = creditsAccounts(view);
  const username = takesAddresses ? 'YOUR_ADDRESS.rig1' : 'rig1';
  return {
    username,
    usernameHint: takesAddresses
      ? `An address of yours on ${view.coin.name} (${view.coin.network}), a dot, and any name for the machine.`
      : 'Any name: rewards go to the fixed address of this pool.',
    password: PASSWORD,
    passwordHint: 'Not looked at. "d=1000" asks for a difficulty to start with, "md=1000" for a lowest one.',
    listeners: view.config.listeners.flatMap((listener, index) =>
      urlsOf(view, { listener, index, host }).map((target) => ({
        ...target,
        difficulty: difficultyOf(listener.difficulty),
        commands: commandsOf(view, target, username),
      })),
    ),
  };
}

interface Target {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

function urlsOf(
  view: PoolView,
  { listener, index, host }: { readonly listener: Listener; readonly index: number; readonly host: string | undefined },
): Target[] {
  const published = /^stratum\+(?:tcp|ssl|tls):\/\/(.*?)(?::(\d+))?\/?$/.exec(listener.publicUrl ?? '');
  const own = ANY_HOST.has(listener.host)
    ? undefined
    : listener.host.includes(':')
      ? `[${listener.host}]`
      : listener.host;
  const name = hostOf(published?.[1]) ?? host ?? own ?? 'localhost';
  const port = published?.[2] !== undefined ? Number(published[2]) : (view.addresses[index]?.port ?? listener.port);
  const plain = { url: `stratum+tcp://${name}:${port}`, host: name, port, tls: false };
  const tls = { url: `stratum+ssl://${name}:${port}`, host: name, port, tls: true };
  if (listener.tls === undefined) return [plain];
  return listener.tls.only ? [tls] : [plain, tls];
}

function difficultyOf(policy: Listener['difficulty']): ListenerInfo['difficulty'] {
  if (typeof policy === 'number') return { kind: 'fixed', start: policy, min: null, max: null, targetSeconds: null };
  const { start, min, max, target } = policy;
  return { kind: 'vardiff', start, min: min ?? null, max: max ?? null, targetSeconds: target };
}

function commandsOf(view: PoolView, { url, host, port, tls }: Target, username: string): ListenerInfo['commands'] {
  const { algorithm } = view.coin;
  const commands = [
    { program: 'cpuminer', text: `minerd -a ${algorithm} -o ${url} -u ${username} -p ${PASSWORD}` },
    {
      program: 'cgminer',
      text: `cgminer ${algorithm === 'scrypt' ? '--scrypt ' : ''}-o ${url} -u ${username} -p ${PASSWORD}`,
    },
  ];
  // Bitaxe and its kin have SHA-256 chips and a form with fields.
  if (algorithm !== 'sha256d') return commands;
  const fields = [
    `Stratum Host: ${host}`,
    `Stratum Port: ${port}`,
    `Stratum User: ${username}`,
    `Stratum Password: ${PASSWORD}`,
  ];
  if (tls) fields.push('Stratum TLS: on');
  return [{ program: 'bitaxe', text: fields.join('\n') }, ...commands];
}

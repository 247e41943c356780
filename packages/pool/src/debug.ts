import type { Logger } from '@headframe/primitives';
import type { MiningServer } from '@headframe/server';

/** Parts of a pool whose debug lines can be asked for by themselves. */
export const DEBUG_PARTS = ['server', 'core', 'rpc'] as const;

/**
 * `server`: sessions and mining; `core`: nodes, templates, blocks, storage; `rpc`: every message from and answer to
 * miners.
 */
export type DebugPart = (typeof DEBUG_PARTS)[number];

/** Names in `DEBUG`, and what each stands for. The last two are those of node-stratum. */
const NAMES: ReadonlyMap<string, readonly DebugPart[]> = new Map<string, readonly DebugPart[]>([
  ...DEBUG_PARTS.map((part): [string, readonly DebugPart[]] => [`headframe:${part}`, [part]]),
  ['headframe:*', DEBUG_PARTS],
  ['headframe', ['server', 'core']],
  ['stratum', ['server', 'core']],
  ['jsonrpc', ['rpc']],
]);

/** The parts that `DEBUG` asks for (`headframe`, `headframe:core,headframe:rpc`); other programs' names are ignored. */
export function debugParts(variable: string | undefined): ReadonlySet<DebugPart> {
  const parts = (variable ?? '').split(/[\s,]+/).flatMap((name) => NAMES.get(name) ?? []);
  return new Set(parts);
}

/** What pino's `child` takes beside the bindings. */
interface LevelledLogger {
  child(bindings: Record<string, unknown>, options: { readonly level: string }): Logger;
}

/** The logger of a part: `log` itself, or a child that says `debug` too, whatever the level of `log`. */
export function partLogger(log: Logger, part: DebugPart, wanted: ReadonlySet<DebugPart>): Logger {
  return wanted.has(part) ? (log as LevelledLogger).child({ part }, { level: 'debug' }) : log;
}

/** Methods whose params hold a password. */
const SECRET = new Set(['mining.authorize', 'login']);

/**
 * Logs what miners say and what they are answered. For debugging: shares go the slower way meanwhile. The params of
 * `mining.authorize` are left out.
 */
export function traceMessages<Account>(server: MiningServer<Account>, log: Logger): void {
  server.on('message', ({ session, message }) => {
    const bound = { session: session.id, address: session.remoteAddress };
    if (message.kind !== 'request' && message.kind !== 'notification')
      log.debug({ ...bound, kind: message.kind }, 'in');
    else {
      const { method, params } = message;
      log.debug(SECRET.has(method) ? { ...bound, method } : { ...bound, method, params }, 'in');
    }
  });
  server.hook('beforeReply', ({ session, method, result, refusal }) => {
    const answer = refusal !== undefined ? { code: refusal.code, reason: refusal.reason } : { result };
    log.debug({ session: session.id, address: session.remoteAddress, method, ...answer }, 'out');
  });
}

import { isPoolError, uint256FromBytesLe } from '@headframe/primitives';
import { decodeSubscribeResult, isStratumError, StratumError, type Subscription } from '@headframe/stratum-v1';
import type { StratumClient } from './stratum-client.js';

/** A name to mine under. */
export interface WorkerCredentials {
  readonly username: string;
  /** Default `x`. */
  readonly password?: string;
}

/** What a miner asks for when a connection is up. */
export interface HandshakeOptions {
  /** Version rolling to ask for (BIP 310); false not to ask. Default: every bit. */
  readonly versionRolling?: false | { readonly mask?: number; readonly minBitCount?: number };
  /** Asks, with `mining.configure`, for a difficulty that the pool does not go below. */
  readonly minimumDifficulty?: number;
  /** Sends `mining.suggest_difficulty` after authorization. */
  readonly suggestDifficulty?: number;
  /** Sends `mining.suggest_target` after authorization: 32 bytes, little-endian integer. */
  readonly suggestTarget?: Uint8Array;
  /** Announces that `mining.set_extranonce` is understood. Default true. */
  readonly subscribeExtranonce?: boolean;
  /** Sends configure, subscribe and authorize in one write, as some firmware does. Default false. */
  readonly pipeline?: boolean;
}

export interface HandshakeResult {
  readonly subscription: Subscription;
  /** Version bits granted; 0 when none. */
  readonly versionMask: number;
}

/** Pools that do not know `mining.configure` and say nothing: how long to wait before going on without. */
const CONFIGURE_TIMEOUT_MS = 10_000;

async function configure(client: StratumClient, options: HandshakeOptions): Promise<number> {
  const extensions: string[] = [];
  const parameters: Record<string, unknown> = {};
  if (options.versionRolling !== false) {
    const { mask = 0xffffffff, minBitCount } = options.versionRolling ?? {};
    extensions.push('version-rolling');
    parameters['version-rolling.mask'] = (mask >>> 0).toString(16).padStart(8, '0');
    if (minBitCount !== undefined) parameters['version-rolling.min-bit-count'] = minBitCount;
  }
  if (options.minimumDifficulty !== undefined) {
    extensions.push('minimum-difficulty');
    parameters['minimum-difficulty.value'] = options.minimumDifficulty;
  }
  if (extensions.length === 0) return 0;
  try {
    const result = await client.request('mining.configure', [extensions, parameters], {
      timeoutMs: CONFIGURE_TIMEOUT_MS,
    });
    return grantedMask(result);
  } catch (error) {
    // A pool without extensions: mine without them.
    if (isStratumError(error) || isPoolError(error, 'request_timeout')) return 0;
    throw error;
  }
}

function grantedMask(result: unknown): number {
  if (typeof result !== 'object' || result === null) return 0;
  const answer: { 'version-rolling'?: unknown; 'version-rolling.mask'?: unknown } = result;
  const mask = answer['version-rolling.mask'];
  if (answer['version-rolling'] !== true || typeof mask !== 'string' || !/^[0-9a-fA-F]{1,8}$/.test(mask)) return 0;
  return Number.parseInt(mask, 16);
}

/** @throws StratumError when the pool says no, in whichever way */
export async function authorizeWorker(client: StratumClient, worker: WorkerCredentials): Promise<void> {
  const result = await client.request('mining.authorize', [worker.username, worker.password ?? 'x']);
  if (result !== true) throw new StratumError('unauthorized', `the pool does not know ${worker.username}`);
}

/** A target as it is written on the wire: 64 hex digits, most significant byte first. */
export function targetHex(target: Uint8Array): string {
  return uint256FromBytesLe(target).toString(16).padStart(64, '0');
}

/** Asks for something a pool may not offer; a refusal changes nothing. */
async function ask(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isStratumError(error) && !isPoolError(error, 'request_timeout')) throw error;
  }
}

/**
 * Introduces a miner: configure, subscribe, authorize, and the wishes after it.
 * @param opened called as soon as jobs can be understood, before authorization is answered
 */
export async function handshake(
  client: StratumClient,
  workers: readonly WorkerCredentials[],
  sessionId: string | undefined,
  options: HandshakeOptions,
  opened: (result: HandshakeResult) => void,
): Promise<HandshakeResult> {
  const subscribe = async (): Promise<Subscription> =>
    decodeSubscribeResult(
      await client.request('mining.subscribe', sessionId === undefined ? [client.agent] : [client.agent, sessionId]),
    );
  let result: HandshakeResult;
  if (options.pipeline === true) {
    const configured = configure(client, options);
    const subscribed = subscribe();
    const authorized = Promise.all(workers.map((worker) => authorizeWorker(client, worker)));
    // All of them may fail; the first to be awaited tells why, the others must not go unhandled.
    for (const promise of [subscribed, authorized]) promise.catch(() => {});
    result = { versionMask: await configured, subscription: await subscribed };
    opened(result);
    await authorized;
  } else {
    result = { versionMask: await configure(client, options), subscription: await subscribe() };
    opened(result);
    for (const worker of workers) await authorizeWorker(client, worker);
  }
  const wishes: Promise<void>[] = [];
  if (options.subscribeExtranonce !== false) wishes.push(ask(client.request('mining.extranonce.subscribe', [])));
  if (options.suggestDifficulty !== undefined) {
    wishes.push(ask(client.request('mining.suggest_difficulty', [options.suggestDifficulty])));
  }
  if (options.suggestTarget !== undefined) {
    wishes.push(ask(client.request('mining.suggest_target', [targetHex(options.suggestTarget)])));
  }
  await Promise.all(wishes);
  return result;
}

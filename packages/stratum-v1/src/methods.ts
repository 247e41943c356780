import type { StratumErrorTuple } from './errors.js';

/** A hex string on the wire. */
type Hex = string;

/**
 * Params and result of every method spoken on the V1 wire, as they stand in JSON. Methods without an answer have the
 * result `null`. Params that peers leave out are optional here; servers must take fewer, `null` and nothing at all.
 */
export interface MethodTable {
  'mining.configure': {
    params: [extensions: string[], options?: Record<string, unknown>];
    result: Record<string, boolean | string | number>;
  };
  'mining.subscribe': {
    params: [agent?: string, sessionId?: string | null, host?: string, port?: number | string | null];
    result: [subscriptions: unknown, extranonce1: Hex, extranonce2Size: number];
  };
  'mining.authorize': { params: [username: string, password?: string | null]; result: boolean };
  'mining.submit': {
    params: [worker: string, jobId: Hex, extranonce2: Hex, ntime: Hex, nonce: Hex, versionBits?: Hex];
    result: boolean;
  };
  'mining.extranonce.subscribe': { params: []; result: boolean };
  'mining.suggest_difficulty': { params: [difficulty: number | string]; result: boolean };
  'mining.suggest_target': { params: [target: Hex]; result: boolean };
  'mining.get_transactions': { params: [jobId: Hex]; result: Hex[] };
  'mining.get_txnhashes': { params: [jobId: Hex]; result: Hex[] };
  'mining.multi_version': { params: [count: number]; result: boolean };
  'mining.capabilities': { params: [capabilities: Record<string, unknown>]; result: null };
  'mining.hashrate': { params: unknown[]; result: boolean };
  'mining.submit_hashrate': { params: unknown[]; result: boolean };
  eth_submitHashrate: { params: unknown[]; result: boolean };
  'mining.get_version': { params: []; result: string };
  'agent.get_capabilities': { params: unknown[]; result: { readonly capabilities: readonly string[] } };
  'mining.ping': { params: []; result: string };
  'mining.pong': { params: []; result: null };
  pong: { params: []; result: null };
  'mining.set_difficulty': { params: [difficulty: number]; result: null };
  'mining.notify': {
    params: [
      jobId: Hex,
      previousHash: Hex,
      coinbase1: Hex,
      coinbase2: Hex,
      merkleBranch: Hex[],
      version: Hex,
      nbits: Hex,
      ntime: Hex,
      clean: boolean,
    ];
    result: null;
  };
  'mining.set_extranonce': { params: [extranonce1: Hex, extranonce2Size: number]; result: null };
  'mining.set_version_mask': { params: [mask: Hex]; result: null };
  'mining.set_goal': { params: [name: string, goal: Record<string, unknown>]; result: null };
  'client.reconnect': { params: [] | [host: string, port: string, waitSeconds: string]; result: null };
  'client.show_message': { params: [text: string]; result: null };
  'client.get_version': { params: []; result: string };
}

export type MethodName = keyof MethodTable;
export type MethodParams<Name extends MethodName> = MethodTable[Name]['params'];
export type MethodResult<Name extends MethodName> = MethodTable[Name]['result'];

/** A response as it stands on the wire; `id` echoes the request's, and all three members are always there. */
export interface StratumResponse<Result = unknown> {
  readonly id: string | number | null;
  readonly result: Result | null;
  readonly error: StratumErrorTuple | null;
}

export interface MethodInfo {
  readonly name: MethodName;
  /** Who sends it. */
  readonly direction: 'to-server' | 'to-client' | 'both';
  /** Whether the sender waits for an answer. */
  readonly kind: 'request' | 'notification';
  /** What must have happened on the connection before it is legal. */
  readonly phase: 'any' | 'subscribed' | 'authorized';
  readonly summary: string;
  /** Params in words. */
  readonly params: string;
  /** Result in words; empty for notifications. */
  readonly result: string;
}

const TABLE: { readonly [Name in MethodName]: Omit<MethodInfo, 'name'> } = {
  'mining.configure': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Negotiates extensions (BIP 310). The answer must be the next line the miner reads.',
    params: '[[extension, ...], {"extension.parameter": value, ...}]',
    result: 'An object with one key per extension asked for, and its return values',
  },
  'mining.subscribe': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Asks for work and an extranonce; a session id of an earlier connection asks for the same extranonce1.',
    params: '[agent?, session id?, host?, port?]',
    result: '[[["mining.set_difficulty", session id], ["mining.notify", session id]], extranonce1, extranonce2 size]',
  },
  'mining.authorize': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Authorizes a worker; may be repeated for more workers on one connection.',
    params: '[username, password?]',
    result: 'true',
  },
  'mining.submit': {
    direction: 'to-server',
    kind: 'request',
    phase: 'authorized',
    summary: 'Hands in a share.',
    params: '[worker, job id, extranonce2, ntime, nonce, version bits?]; hex of the integers, extranonce2 of the bytes',
    result: 'true, once the share is stored',
  },
  'mining.extranonce.subscribe': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Says that mining.set_extranonce is understood.',
    params: '[]',
    result: 'true or false, never an error',
  },
  'mining.suggest_difficulty': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary:
      'Wishes for a difficulty. The number may be a string or stand in the method name: mining.suggest_difficulty(512).',
    params: '[difficulty]',
    result: 'true',
  },
  'mining.suggest_target': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Wishes for a share target.',
    params: '[target: 64 hex digits, most significant byte first]',
    result: 'true',
  },
  'mining.get_transactions': {
    direction: 'to-server',
    kind: 'request',
    phase: 'subscribed',
    summary: 'Asks for the transactions of a job, without its coinbase.',
    params: '[job id]',
    result: '[transaction hex, ...]',
  },
  'mining.get_txnhashes': {
    direction: 'to-server',
    kind: 'request',
    phase: 'subscribed',
    summary: 'Asks for the transaction hashes of a job.',
    params: '[job id]',
    result: '[hash, ...]',
  },
  'mining.multi_version': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Older way to announce that several versions are understood; none is ever pushed.',
    params: '[number of versions]',
    result: 'true',
  },
  'mining.capabilities': {
    direction: 'to-server',
    kind: 'notification',
    phase: 'any',
    summary: 'Tells what the miner can do.',
    params: '[{capability: details, ...}]',
    result: '',
  },
  'mining.hashrate': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Reports the hashrate the miner measured.',
    params: '[hashrate, ...]',
    result: 'true',
  },
  'mining.submit_hashrate': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Reports the hashrate the miner measured.',
    params: '[hashrate, id]',
    result: 'true',
  },
  eth_submitHashrate: {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'The same under the name that some miners know.',
    params: '[hashrate, id]',
    result: 'true',
  },
  'mining.get_version': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Asks for the name of the pool software.',
    params: '[]',
    result: 'The name',
  },
  'agent.get_capabilities': {
    direction: 'to-server',
    kind: 'request',
    phase: 'any',
    summary: 'Asked by mining agents, to find out whether many miners may share the connection.',
    params: '[] or what the agent can do',
    result: '{"capabilities": []}: none on a V1 connection',
  },
  'mining.ping': {
    direction: 'both',
    kind: 'request',
    phase: 'any',
    summary: 'Asks for a sign of life. A server sends it only after authorization; not every miner answers.',
    params: '[]',
    result: '"pong"',
  },
  'mining.pong': {
    direction: 'both',
    kind: 'notification',
    phase: 'any',
    summary: 'Answer to a ping written as a message of its own; swallowed.',
    params: '[]',
    result: '',
  },
  pong: {
    direction: 'both',
    kind: 'notification',
    phase: 'any',
    summary: 'Answer to a ping written as a message of its own; swallowed.',
    params: '[]',
    result: '',
  },
  'mining.set_difficulty': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'subscribed',
    summary: 'Sets the share difficulty from the next mining.notify on.',
    params: '[difficulty: number above zero]',
    result: '',
  },
  'mining.notify': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'subscribed',
    summary: 'Gives a job.',
    params:
      '[job id, previous hash (4-byte words reversed), coinbase 1, coinbase 2, [merkle step, ...], version, nbits, ntime, clean]',
    result: '',
  },
  'mining.set_extranonce': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'authorized',
    summary: 'Replaces the extranonce from the next mining.notify on.',
    params: '[extranonce1, extranonce2 size]',
    result: '',
  },
  'mining.set_version_mask': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'authorized',
    summary: 'Replaces the negotiated version mask (BIP 310).',
    params: '[mask: 8 hex digits]',
    result: '',
  },
  'mining.set_goal': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'authorized',
    summary: 'Names what is mined; for miners that announced it in mining.capabilities.',
    params: '[name, {"malgo": algorithm}]',
    result: '',
  },
  'client.reconnect': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'any',
    summary: 'Asks the miner to connect again, perhaps elsewhere.',
    params: '[] or [host, port, seconds to wait], all strings',
    result: '',
  },
  'client.show_message': {
    direction: 'to-client',
    kind: 'notification',
    phase: 'any',
    summary: 'Shows a text to whoever runs the miner.',
    params: '[text]',
    result: '',
  },
  'client.get_version': {
    direction: 'to-client',
    kind: 'request',
    phase: 'any',
    summary: 'Asks for name and version of the mining software.',
    params: '[]',
    result: 'The text that mining.subscribe gave as agent',
  },
};

/** Every method of {@link MethodTable} with what the documentation says about it, in the order of the table. */
export const METHODS: readonly MethodInfo[] = (Object.keys(TABLE) as MethodName[]).map((name) => ({
  name,
  ...TABLE[name],
}));

/** What is known of a method; undefined for a name that is not on the V1 wire. */
export function methodInfo(name: string): MethodInfo | undefined {
  return Object.hasOwn(TABLE, name) ? { name: name as MethodName, ...TABLE[name as MethodName] } : undefined;
}

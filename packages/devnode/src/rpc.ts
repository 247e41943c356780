import { hexToBytes, isPoolError, type MaybePromise } from '@headframe/primitives';

/** Error numbers of Core's RPC that are used here. */
export const RPC_ERROR = {
  misc: -1,
  type: -3,
  wallet: -4,
  invalidAddressOrKey: -5,
  invalidParameter: -8,
  notConnected: -9,
  initialDownload: -10,
  unlockNeeded: -13,
  passphraseIncorrect: -14,
  wrongEncryptionState: -15,
  walletNotFound: -18,
  deserialization: -22,
  verify: -25,
  verifyRejected: -26,
  alreadyInChain: -27,
  walletAlreadyLoaded: -35,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  parse: -32700,
} as const;

/** An RPC error answer, thrown by methods and overrides. */
export class RpcFault extends Error {
  readonly rpcCode: number;
  constructor(rpcCode: number, message: string) {
    super(message);
    this.name = 'RpcFault';
    this.rpcCode = rpcCode;
  }
}

/** Answers one RPC method. `signal` aborts when the caller hangs up or the node stops. */
export type RpcMethod = (params: readonly unknown[], signal: AbortSignal) => MaybePromise<unknown>;

/** The string at `index`. @throws RpcFault -3 when it is something else. */
export function stringParam(params: readonly unknown[], index: number, name: string): string {
  const value = params[index];
  if (typeof value !== 'string') throw new RpcFault(RPC_ERROR.type, `${name} must be a string`);
  return value;
}

/** The whole number at `index`, or `fallback` when it is missing. @throws RpcFault -3 or -8. */
export function integerParam(params: readonly unknown[], index: number, name: string, fallback?: number): number {
  const value = params[index] ?? fallback;
  if (typeof value !== 'number') throw new RpcFault(RPC_ERROR.type, `${name} must be a number`);
  if (!Number.isSafeInteger(value)) throw new RpcFault(RPC_ERROR.invalidParameter, `${name} must be a whole number`);
  return value;
}

/** Bytes of the hex string at `index`. @throws RpcFault -3, or -22 when it is no hex. */
export function hexParam(params: readonly unknown[], index: number, name: string, onBad: string): Uint8Array {
  try {
    return hexToBytes(stringParam(params, index, name));
  } catch (error) {
    if (isPoolError(error)) throw new RpcFault(RPC_ERROR.deserialization, onBad);
    throw error;
  }
}

/** `parse()`, with its complaint turned into RPC error -22. */
export function decoded<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch (error) {
    if (isPoolError(error)) throw new RpcFault(RPC_ERROR.deserialization, message);
    throw error;
  }
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

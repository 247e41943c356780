import type { InvalidMessage } from '@headframe/jsonrpc';
import type { RejectCode } from '@headframe/primitives';
import type { CallContext } from './call-context.js';
import type { ReplyContext } from './events.js';
import type { HookList } from './hooks.js';
import type { JsonRpcProtocol } from './jsonrpc-protocol.js';
import type { MethodRegistry } from './methods.js';
import type { CloseReason } from './types.js';

/** What all JSON-RPC sessions of a server share. `State` is what the layer above keeps per session. */
export interface JsonRpcSettings<Context extends CallContext = CallContext, State = undefined> {
  /** Name of the protocol. */
  readonly name: string;
  readonly methods: MethodRegistry<Context>;
  readonly onRequest: HookList<Context>;
  readonly beforeReply: HookList<ReplyContext>;
  /** Called once per session, when it starts. */
  createState(protocol: JsonRpcProtocol<Context, State>): State;
  /** Called once per request. */
  createContext(
    protocol: JsonRpcProtocol<Context, State>,
    request: { readonly method: string; readonly params: unknown; readonly wantsReply: boolean },
  ): Context;
  /**
   * One line with its newline that refuses request `idText` (raw JSON of the id). `reason` may be absent. `protocol` is
   * for settings that speak several dialects.
   */
  encodeError(
    idText: string,
    code: RejectCode,
    reason: string | undefined,
    protocol: JsonRpcProtocol<Context, State>,
  ): string;
  /** One line for a line that is no request. Default: `encodeError` with code `other`. */
  encodeInvalid?(protocol: JsonRpcProtocol<Context, State>, idText: string, reason: InvalidMessage['reason']): string;
  /** One ASCII line with its newline that answers a request. Default: all three members of JSON-RPC 1.0. */
  encodeResult?(protocol: JsonRpcProtocol<Context, State>, idText: string, result: unknown): string;
  /** One ASCII line with its newline. Default: a notification of JSON-RPC 1.0. */
  encodeNotification?(protocol: JsonRpcProtocol<Context, State>, method: string, params: readonly unknown[]): string;
  /** Entries that a batch (a JSON array of requests) may have. Default 0: batches are refused as no JSON object. */
  readonly maxBatchEntries?: number;
  /**
   * Tried on every line before it is parsed, for the hottest method: true when it took the line. It must `reserve` a
   * slot for every line it takes and `settle` it later. Not called while somebody listens to `message`.
   */
  fastLine?(protocol: JsonRpcProtocol<Context, State>, bytes: Uint8Array, start: number, end: number): boolean;
  /** The server goes down: ask the peer to reconnect. */
  shutdown?(protocol: JsonRpcProtocol<Context, State>, message: string): void;
  /** The session has ended. */
  closed?(protocol: JsonRpcProtocol<Context, State>, reason: CloseReason): void;
  /** True when the session works for this account. */
  hasAccount?(protocol: JsonRpcProtocol<Context, State>, account: string): boolean;
  /** True when a worker of this full name is on the session. */
  hasWorker?(protocol: JsonRpcProtocol<Context, State>, name: string): boolean;
}

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
  /** One line with its newline that refuses request `idText` (raw JSON of the id). `reason` may be absent. */
  encodeError(idText: string, code: RejectCode, reason: string | undefined): string;
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
}

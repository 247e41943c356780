import { CallContext, type JsonRpcProtocol } from '@headframe/sessions';
import type { ElectrumState } from './state.js';

/** One session as the Electrum server sees it. */
export type ElectrumProtocol = JsonRpcProtocol<ElectrumContext, ElectrumState>;

/** What a handler is called with. */
export class ElectrumContext<Params = unknown> extends CallContext<Params> {
  readonly protocol: ElectrumProtocol;

  constructor(
    protocol: ElectrumProtocol,
    request: { readonly method: string; readonly params: Params; readonly wantsReply: boolean },
  ) {
    super(protocol.session, request.method, request.params, request.wantsReply);
    this.protocol = protocol;
  }

  get state(): ElectrumState {
    return this.protocol.state;
  }
  /** The version agreed on; undefined before `server.version`. */
  get version(): string | undefined {
    return this.protocol.state.version;
  }
}

import type { RequestOptions } from '@headframe/jsonrpc';
import { JsonRpcProtocol } from '@headframe/sessions';
import type { MiningContext } from './context.js';
import type { V1Link } from './link.js';

/** JSON-RPC of a V1 session, with the order of messages that miners need: see `V1Link.mayTake`. */
export class V1Protocol<Account> extends JsonRpcProtocol<MiningContext<Account>, V1Link<Account>> {
  override notify(method: string, params: readonly unknown[]): void {
    if (this.session.closed) return;
    if (this.state.mayTake(method)) super.notify(method, params);
    else this.state.hold(method, params);
  }

  override request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    if (method === 'mining.ping') this.state.pinged = true;
    if (this.state.mayTake(method) || this.session.closed) return super.request(method, params, options);
    return this.#requestLater(method, params, options);
  }

  async #requestLater(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    while (!this.state.mayTake(method) && !this.session.closed) await this.phaseChanged();
    return super.request(method, params, options);
  }
}

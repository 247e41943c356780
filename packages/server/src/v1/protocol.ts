import type { RequestOptions } from '@headframe/jsonrpc';
import { PoolError } from '@headframe/primitives';
import { JsonRpcProtocol } from '@headframe/sessions';
import type { MiningContext } from './context.js';
import type { V1Link } from './link.js';

/** JSON-RPC of a V1 session, with the order of messages that miners need: see `V1Link.mayTake`. */
export class V1Protocol<Account> extends JsonRpcProtocol<MiningContext<Account>, V1Link<Account>> {
  override notify(method: string, params: readonly unknown[]): void {
    if (this.session.closed) return;
    if (this.state.mayTake(method)) super.notify(method, params);
    else this.state.hold(method, () => super.notify(method, params));
  }

  override request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    if (method === 'mining.ping') this.state.pinged = true;
    if (this.state.mayTake(method) || this.session.closed) return super.request(method, params, options);
    return new Promise((resolve, reject) => {
      const send = () => super.request(method, params, options).then(resolve, reject);
      if (!this.state.hold(method, send)) reject(new PoolError('queue_full', 'too many messages wait for the session'));
    });
  }
}

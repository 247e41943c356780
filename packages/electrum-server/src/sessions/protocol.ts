import { JsonRpcProtocol } from '@headframe/sessions';
import type { ElectrumContext } from './context.js';
import type { ElectrumState } from './state.js';

/** A session whose bytes count against its budget. */
export class MeteredProtocol extends JsonRpcProtocol<ElectrumContext, ElectrumState> {
  override data(chunk: Uint8Array): void {
    this.state.cost.chargeBytes(chunk.length);
    super.data(chunk);
  }
}

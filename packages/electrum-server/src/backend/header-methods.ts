import { compareVersions, headerObjectOf } from '@headframe/electrum';
import type { CheckpointProof } from '../chain/calls.js';
import type { ElectrumContext } from '../sessions/context.js';
import { type BackendParts, badRequest, guarded } from './parts.js';

const HEADER_HEX = 160;

/** Registers `blockchain.headers.*`, `blockchain.block.*` and `blockchain.numblocks.*`. */
export function registerHeaderMethods(parts: BackendParts): void {
  const { framework, index, tip } = parts;
  const { headers: max } = framework.limits;

  const proofFor = async (height: number, cpHeight: number): Promise<CheckpointProof | undefined> =>
    cpHeight === 0 ? undefined : index.call('proveHeader', height, cpHeight);

  const wantsObject = (context: ElectrumContext): boolean => {
    const version = framework.versionFor(context, 'blockchain.headers.subscribe');
    if (compareVersions(version, '1.4') >= 0) return false;
    // 1.2 has objects unless told otherwise, 1.3 the other way round.
    const [raw] = Array.isArray(context.params) ? context.params : [];
    return typeof raw === 'boolean' ? !raw : compareVersions(version, '1.3') < 0;
  };

  framework.electrumMethod('blockchain.headers.subscribe', (_, context) => {
    const { height, header } = tip();
    const asObject = wantsObject(context);
    context.state.headers = asObject ? 'object' : 'hex';
    context.state.lastHeader = header;
    return asObject ? headerObjectOf(header, height) : { height, hex: header };
  });
  framework.oldMethod('blockchain.numblocks.subscribe', (_, { state }) => {
    state.numBlocks = true;
    state.lastHeader = tip().header;
    return tip().height;
  });
  framework.electrumMethod('blockchain.block.header', ([height, cpHeight = 0]) =>
    guarded(async () => {
      const header = await index.call('headers', height, 1);
      if (header === '') return badRequest(`height ${height} is out of range`);
      const proof = await proofFor(height, cpHeight);
      return proof === undefined ? header : { header, ...proof };
    }),
  );
  framework.electrumMethod('blockchain.block.headers', ([start, count, cpHeight = 0], context) =>
    guarded(async () => {
      const hex = await index.call('headers', start, Math.min(count, max));
      const given = hex.length / HEADER_HEX;
      context.state.cost.chargeItems(given);
      const proof = given === 0 ? undefined : await proofFor(start + given - 1, cpHeight);
      const version = framework.versionFor(context, 'blockchain.block.headers');
      const body =
        compareVersions(version, '1.6') < 0
          ? { hex }
          : { headers: Array.from({ length: given }, (_, i) => hex.slice(i * HEADER_HEX, (i + 1) * HEADER_HEX)) };
      return { count: given, ...body, max, ...proof };
    }),
  );
  framework.oldMethod('blockchain.block.get_header', ([height]) =>
    guarded(async () => {
      const header = await index.call('headers', height, 1);
      return header === '' ? badRequest(`height ${height} is out of range`) : headerObjectOf(header, height);
    }),
  );
  framework.oldMethod('blockchain.block.get_chunk', ([chunk], { state }) =>
    guarded(async () => {
      const hex = await index.call('headers', chunk * 2016, 2016);
      state.cost.chargeItems(hex.length / HEADER_HEX);
      return hex;
    }),
  );
}

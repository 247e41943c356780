import { parseAuxPow, serializeAuxPow } from '@headframe/mining';
import { equalBytes } from '@headframe/primitives';
import { check, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

export const auxpowTarget: FuzzTarget = {
  name: 'auxpow',
  promise: 'a merged-mining proof is read or refused with a PoolError, and comes out as it went in',
  maxBytes: 3000,
  dictionary: ['\u00fa\u00be\u006d\u006d', '\u00fd\u00ff\u00ff', '\u00fe', '\u00ff', '\u0001', '\0\0\0\0'],
  run(bytes) {
    const proof = tolerate(['invalid_data', 'end_of_data'], () => parseAuxPow(bytes));
    if (proof === undefined) return 'refused';
    const again = parseAuxPow(serializeAuxPow(proof));
    check(equalBytes(again.parentCoinbase, proof.parentCoinbase), 'the same coinbase');
    check(equalBytes(again.parentHeader, proof.parentHeader), 'the same header');
    check(again.chainIndex === proof.chainIndex && again.coinbaseIndex === proof.coinbaseIndex, 'the same places');
    return `${proof.coinbaseBranch.length} and ${proof.chainBranch.length} steps`;
  },
};

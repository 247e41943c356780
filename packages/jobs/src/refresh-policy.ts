import type { BlockTemplate } from '@headframe/mining';
import { equalBytes } from '@headframe/primitives';

/** Why a template of the same tip is worth a job right away. */
export type RefreshReason = 'rules' | 'value';

/**
 * Whether miners should get a template of the tip they already work on before the keep-alive is due.
 * `rules`: a block built from the old one might be invalid now (difficulty by time on test networks, version, prescribed
 * outputs). `value`: it is worth more by at least `valueRatio`. Other transactions alone can wait.
 */
export function refreshReason(
  used: BlockTemplate,
  offered: BlockTemplate,
  valueRatio: number,
): RefreshReason | undefined {
  if (used.nbits !== offered.nbits || used.version !== offered.version || used.height !== offered.height)
    return 'rules';
  if (offered.minTime > used.minTime || !equalBytes(used.coinbaseAux, offered.coinbaseAux)) return 'rules';
  if (!samePayees(used, offered)) return 'rules';
  const gain = Number(offered.coinbaseValue - used.coinbaseValue);
  return gain > 0 && gain >= Number(used.coinbaseValue) * valueRatio ? 'value' : undefined;
}

function samePayees(a: BlockTemplate, b: BlockTemplate): boolean {
  if (a.requiredOutputs.length !== b.requiredOutputs.length) return false;
  return a.requiredOutputs.every((output, index) => {
    const other = b.requiredOutputs[index];
    return other !== undefined && other.amount === output.amount && equalBytes(other.script, output.script);
  });
}

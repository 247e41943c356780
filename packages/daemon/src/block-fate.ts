/** What one node's active chain says of a block. */
export interface BlockSighting {
  readonly inChain: boolean;
  readonly tipHeight: number;
}

export interface FateInput {
  readonly height: number;
  /** Of the nodes that answer; those that are away have no say. */
  readonly sightings: readonly BlockSighting[];
  /** Every configured node has refused the block for good. */
  readonly refusedByAll: boolean;
  /** It was in a node's active chain before. */
  readonly wasConfirmed: boolean;
  readonly maturity: number;
  readonly orphanDepth: number;
}

/** What follows for a block. `confirmations` counts the block itself. */
export type BlockFate =
  | { readonly kind: 'open' }
  | { readonly kind: 'confirmed' | 'matured'; readonly confirmations: number }
  /** Beside every active chain, under `orphanDepth` blocks. `final`: as deep as maturity, nobody will come back to it. */
  | { readonly kind: 'orphaned'; readonly final: boolean }
  | { readonly kind: 'rejected' };

/**
 * Decides from what the nodes' chains say. Pure. In one active chain is enough to be confirmed; to be orphaned it must
 * be in none, and every node that answers must be far enough ahead.
 */
export function blockFate(input: FateInput): BlockFate {
  const { height, sightings } = input;
  let confirmations = 0;
  let lowestTip = Number.POSITIVE_INFINITY;
  for (const { inChain, tipHeight } of sightings) {
    if (inChain) confirmations = Math.max(confirmations, tipHeight - height + 1);
    lowestTip = Math.min(lowestTip, tipHeight);
  }
  if (confirmations > 0) {
    return { kind: confirmations >= input.maturity ? 'matured' : 'confirmed', confirmations };
  }
  if (sightings.length === 0) return { kind: 'open' };
  if (input.refusedByAll && !input.wasConfirmed) return { kind: 'rejected' };
  if (lowestTip < height + input.orphanDepth) return { kind: 'open' };
  return { kind: 'orphaned', final: lowestTip >= height + input.maturity };
}

/** A tip as a template shows it. */
export interface TipView {
  readonly height: number;
  /** Display hex. */
  readonly previousHash: string;
}

/** What is to be known to judge a template of one node against the one in use. */
export interface GateInput {
  readonly current: TipView | undefined;
  readonly offered: TipView;
  /** The node gave us the block change that is in use. */
  readonly isSource: boolean;
  /** The node is the one to take refreshes from. */
  readonly isPreferred: boolean;
  /** Some other ready node still has the tip in use. */
  readonly heldByOther: boolean;
  /** How long the node has been offering something lower; 0 the first time. */
  readonly lowerForMs: number;
  readonly regressionMs: number;
}

export type GateVerdict =
  /** A new previous block. */
  | 'new-block'
  /** Same previous block, other transactions or time. */
  | 'refresh'
  /** Not ours to take: another node is preferred for this tip, or is ahead. */
  | 'ignore'
  /** Lower than what is in use; may become acceptable with time. */
  | 'regression';

/**
 * Decides whether a template replaces the one in use. Pure.
 * Height wins; on equal height the node that gave us the tip may change its mind, another node only when nobody holds
 * the tip any more. A lower height is a node that lags, or was restarted, or (seldom) a reorganisation to a shorter
 * chain: it counts only after it has lasted.
 */
export function judgeTemplate(input: GateInput): GateVerdict {
  const { current, offered } = input;
  if (current === undefined) return 'new-block';
  if (offered.previousHash === current.previousHash) return input.isPreferred ? 'refresh' : 'ignore';
  if (offered.height > current.height) return 'new-block';
  const nobodyElse = input.isSource || !input.heldByOther;
  if (offered.height === current.height) return nobodyElse ? 'new-block' : 'ignore';
  return nobodyElse && input.lowerForMs >= input.regressionMs ? 'new-block' : 'regression';
}

import { capital } from '../format/text.js';

/** A payout scheme for people. */
export interface SchemeWords {
  readonly name: string;
  readonly meaning: string;
}

const SCHEMES: Readonly<Record<string, SchemeWords>> = {
  solo: { name: 'Solo', meaning: 'Who finds a block gets its whole reward, less the fee.' },
  prop: { name: 'PROP', meaning: 'Each reward is divided by the work since the block before.' },
  pplns: { name: 'PPLNS', meaning: 'Each reward is divided by the last work before the block, across rounds.' },
  pps: { name: 'PPS', meaning: 'Every share is paid at once at its expected worth, blocks or not.' },
  fpps: { name: 'FPPS', meaning: 'Every share is paid at once at its expected worth, transaction fees included.' },
  'coinbase-split': {
    name: 'Coinbase split',
    meaning: "Each block pays miners itself, by the last work before it; the pool holds nobody's coins.",
  },
};

/** What a scheme is called and what it means; unknown ones by their own name. */
export function schemeWords(scheme: string, hasPayments: boolean): SchemeWords {
  if (scheme === 'solo' && !hasPayments) {
    return { name: 'Solo', meaning: 'The coinbase of each block pays the reward straight to its address.' };
  }
  return SCHEMES[scheme] ?? { name: scheme, meaning: '' };
}

const KINDS: Readonly<Record<string, string>> = {
  reward: 'Reward',
  fee: 'Fee received',
  donation: 'Donation received',
  payment: 'Payment',
  coinbase: 'Paid in a coinbase',
  adjustment: 'Correction',
};

/** The kind of a statement's line for people. */
export function kindWords(kind: string): string {
  const known = KINDS[kind];
  if (known !== undefined) return known;
  const words = kind.replace(/[-_]+/g, ' ');
  return capital(words);
}

/** `low-difficulty` as `Low difficulty`. */
export function reasonWords(code: string): string {
  return kindWords(code);
}

/** Virtual bytes of the first bin; a block holds ten. */
const FIRST_BIN_VSIZE = 100_000;
/** Each bin is so much larger than the one before it: what pays little need not be told apart finely. */
const BIN_GROWTH = 1.1;

/**
 * Fee rates of a mempool as wallets want them: `[rate, vsize]` with falling rates, where `vsize` is what pays at least
 * that rate and less than the pair before.
 * @param fees base units per virtual byte, virtual bytes
 */
export function feeHistogram(fees: readonly { readonly rate: number; readonly vsize: number }[]): [number, number][] {
  const falling = [...fees].sort((a, b) => b.rate - a.rate);
  const histogram: [number, number][] = [];
  let binVsize = FIRST_BIN_VSIZE;
  let gathered = 0;
  falling.forEach(({ rate, vsize }, index) => {
    gathered += vsize;
    const next = falling[index + 1];
    const isFull = gathered >= binVsize && next !== undefined && round(next.rate) < round(rate);
    if (!isFull && next !== undefined) return;
    histogram.push([round(rate), gathered]);
    gathered = 0;
    binVsize *= BIN_GROWTH;
  });
  return histogram;
}

/** A tenth of a unit is enough to choose a fee by. */
const round = (rate: number): number => Math.floor(rate * 10) / 10;

// Commits batches to a ledger as fast as it takes them and prints the number of each that was acknowledged.
// Arguments: URL of the database, epoch. Runs until killed.
import { writeSync } from 'node:fs';
import { openLedger } from '@headframe/ledger';

const [url, epoch] = process.argv.slice(2);
const ledger = await openLedger({ url, foldIntervalMs: 5 });
const IN_FLIGHT = 6;
let sequence = 0;

async function run() {
  for (;;) {
    const own = ++sequence;
    const shares = Array.from({ length: 1 + (own % 40) }, (_, i) => ({
      timeMs: 1_700_000_000_000 + own,
      account: `account${i % 7}`,
      worker: `rig${i}`,
      address: 'bcrt1qexample',
      jobId: own,
      height: 100,
      result: 'accepted',
      difficulty: 0.1,
      achieved: i,
      blockHash: own % 50 === 0 && i === 0 ? `${epoch}${own}` : undefined,
    }));
    await ledger.commit({ epoch, sequence: own, shares });
    // Some acknowledgements get lost on the way to the caller, who tries again.
    if (own % 5 === 0) await ledger.commit({ epoch, sequence: own, shares });
    writeSync(1, `${own}\n`);
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, run));

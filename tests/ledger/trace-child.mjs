// Commits batches one after the other and writes a line for each acknowledgement. Argument: URL of the database.
import { writeSync } from 'node:fs';
import { openLedger } from '@headframe/ledger';

const ledger = await openLedger({ url: process.argv[2] });
writeSync(1, 'open\n');
for (let sequence = 1; sequence <= 20; sequence++) {
  await ledger.commit({ epoch: 'trace', sequence, shares: [] });
  writeSync(1, `acknowledged ${sequence}\n`);
}
await ledger.close();

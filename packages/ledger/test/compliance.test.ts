import type { ShareRecord } from '@headframe/mining';
import { describeShareSink } from '@headframe/mining/compliance';
import { describeLedger } from '../src/compliance.js';
import { openLedger } from '../src/index.js';
import { makeFolder, sqliteHarness, WORKER_URL } from './support.js';

describeLedger('SQLite', sqliteHarness);

describeShareSink('SQLite ledger', async () => {
  const folder = await makeFolder();
  const open = () => openLedger({ url: folder.url, workerUrl: WORKER_URL });
  return {
    open,
    read: async () => {
      const reader = await open();
      const shares: ShareRecord[] = [];
      for (let after = 0; ; ) {
        const page = await reader.shareLog(after);
        for (const batch of page) {
          shares.push(...batch.shares);
          after = batch.id;
        }
        if (page.length === 0) break;
      }
      await reader.close();
      return shares;
    },
    dispose: () => folder.remove(),
  };
});

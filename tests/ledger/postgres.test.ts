import { describeLedger } from '@headframe/ledger/compliance';
import { describeShareSink } from '@headframe/mining/compliance';
import { afterAll, beforeAll, describe } from 'vitest';
import { type PostgresServer, startPostgres } from '../nodes/postgres.js';
import { requireService } from '../support/require.js';
import { postgresHarness, wholeLog } from './support.js';

describe.skipIf(!requireService('postgresql'))('a real PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  describeLedger('PostgreSQL', () => postgresHarness(server));

  describeShareSink('PostgreSQL ledger', async () => {
    const harness = await postgresHarness(server);
    return {
      open: () => harness.open(),
      read: async () => {
        const reader = await harness.open();
        const log = await wholeLog(reader);
        await reader.close();
        return log.flatMap(({ shares }) => shares);
      },
      dispose: () => harness.dispose(),
    };
  });
});

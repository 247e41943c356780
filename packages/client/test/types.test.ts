import type { StratumError } from '@headframe/stratum-v1';
import { describe, expectTypeOf, it } from 'vitest';
import type {
  MinerJob,
  MiningClient,
  MiningClientOptions,
  MiningNotification,
  NotificationEvents,
  ProbeReport,
  StratumClient,
  StratumNotification,
  SubmitOutcome,
} from '../src/index.js';
import { encodeStratumNotification } from '../src/index.js';

// Never run: what the compiler says about these lines is the test.
function wrong(client: StratumClient, miner: MiningClient, outcome: SubmitOutcome, job: MinerJob): void {
  // @ts-expect-error no such event
  client.on('mining.notified', () => {});
  // @ts-expect-error the payload is a notification, not a number
  client.on('mining.set_difficulty', (difficulty: number) => difficulty);
  // @ts-expect-error an event of the connection carries no session
  client.on('message', ({ session }) => session);
  // @ts-expect-error an event of the connection, not of the relation
  miner.on('client.reconnect', () => {});
  // @ts-expect-error an accepted share has no error
  outcome.error;
  // @ts-expect-error jobs are not changed
  job.difficulty = 1;
  // @ts-expect-error a mask is not a difficulty
  encodeStratumNotification({ method: 'mining.set_difficulty', mask: 1 });
  // @ts-expect-error at least one worker
  const options: MiningClientOptions = { workers: [] };
  // @ts-expect-error a policy is an object, or false
  const reconnect: MiningClientOptions['reconnect'] = true;
  void options;
  void reconnect;
}

describe('types', () => {
  it('tie each event to its notification', () => {
    expectTypeOf<NotificationEvents['mining.notify']>().toEqualTypeOf<MiningNotification>();
    expectTypeOf<keyof NotificationEvents>().toEqualTypeOf<StratumNotification['method']>();
    expectTypeOf(wrong).toBeFunction();
  });

  it('make an outcome tell which it is', () => {
    expectTypeOf<Extract<SubmitOutcome, { accepted: false }>['error']>().toEqualTypeOf<StratumError>();
    expectTypeOf<MiningClient['submit']>().returns.resolves.toEqualTypeOf<SubmitOutcome>();
    expectTypeOf<ProbeReport['verdict']>().toEqualTypeOf<'ok' | 'wrong'>();
    // Any namespace: methods nobody has heard of take anything.
    expectTypeOf<StratumClient['request']>().toBeCallableWith('server.version', { any: 'thing' });
  });
});

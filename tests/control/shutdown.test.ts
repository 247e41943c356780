import { FakeClock } from '@headframe/primitives/testing';
import { createServer } from '@headframe/server';
import { createTestPool, settle, until } from '@headframe/testkit';
import { createMemoryPair } from '@headframe/transport/testing';
import { expect, it } from 'vitest';

/** A miner that reads what it is told. */
function connect(server: Pick<ReturnType<typeof createServer>, 'attach'>, clock?: FakeClock) {
  const pair = createMemoryPair(clock === undefined ? {} : { clock });
  const peer = { text: '', closed: false };
  pair.client.start({
    data: (chunk) => {
      peer.text += Buffer.from(chunk).toString('latin1');
    },
    drain: () => {},
    ended: () => pair.client.end(),
    closed: () => {
      peer.closed = true;
    },
  });
  server.attach(pair.server);
  pair.client.write('{"id":1,"method":"mining.subscribe","params":[]}\n');
  pair.client.write('{"id":2,"method":"mining.authorize","params":["alice","x"]}\n');
  return peer;
}

it('miners are shown the message and sent to the other pool, one after the other over the spread', async () => {
  const clock = new FakeClock();
  const server = createServer({}, { clock });
  const miners = Array.from({ length: 300 }, () => connect(server, clock));
  await settle();
  const closing = server.close({
    drainMs: 1000,
    spreadMs: 3000,
    message: 'moving to b.example',
    reconnect: { host: 'b.example', port: 3334, waitSeconds: 5 },
  });
  const told = () => miners.filter(({ text }) => text.includes('client.reconnect')).length;
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) {
    await settle();
    counts.push(told());
    await clock.advanceAsync(1000, 100);
  }
  await clock.advanceAsync(2000);
  await closing;
  expect(counts[0]).toBeLessThan(20);
  expect(counts[1]).toBeGreaterThan(80);
  expect(counts[1]).toBeLessThan(120);
  for (const { text, closed } of miners) {
    const said = text.split('\n').filter((line) => line.includes('"client.'));
    expect(said).toEqual([
      '{"id":null,"method":"client.show_message","params":["moving to b.example"]}',
      '{"id":null,"method":"client.reconnect","params":["b.example","3334","5"]}',
    ]);
    expect(closed).toBe(true);
  }
});

it('without a target they are asked to come back to where they are', async () => {
  const clock = new FakeClock();
  const server = createServer({}, { clock });
  const miner = connect(server, clock);
  await settle();
  const closing = server.close({ drainMs: 1000 });
  await clock.advanceAsync(2000);
  await closing;
  expect(miner.text).toContain('"method":"client.reconnect","params":[]');
});

it('a pool does as its configuration says, the one that was read again last', async () => {
  const test = await createTestPool({ config: { shutdown: { message: 'old', spreadSeconds: 0 } } });
  const { pool } = test;
  const miner = connect(pool.server);
  await until('the miner to be in', () => miner.text.includes('mining.notify'));
  const shutdown = {
    ...pool.config.shutdown,
    message: 'moved',
    reconnect: { host: 'b.example', port: 3334, waitSeconds: 0 },
  };
  expect(pool.reload({ ...pool.config, shutdown })).toEqual({ applied: ['shutdown'], needsRestart: [] });
  await test.close();
  expect(miner.text).toContain('"method":"client.show_message","params":["moved"]');
  expect(miner.text).toContain('"method":"client.reconnect","params":["b.example","3334","0"]');
});

import { Writable } from 'node:stream';
import { settle } from '@headframe/primitives/testing';
import { createMemoryPair, RecordingHandler } from '@headframe/transport/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createPool, reject } from '../src/index.js';

interface Line {
  readonly level: number;
  readonly part?: string;
  readonly msg: string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly code?: string;
}

/** What a pool at level `warn` logs while a miner says two things; `DEBUG` is the variable. */
async function linesWith(debug: string): Promise<{ readonly lines: Line[]; readonly text: string }> {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const pool = createPool(
    {
      network: 'regtest',
      daemons: [{ url: 'http://127.0.0.1:1' }],
      payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
      listeners: [{ port: 0 }],
    },
    { log: pino({ level: 'warn' }, stream), debug },
  );
  pool.method('mining.get_balance', { phase: 'authorized', handler: () => 7 });
  pool.method('mining.refuse', { handler: () => reject('busy') });
  pool.on('authorized', ({ session }) => session.log.debug({}, 'hello'));
  const { client, server } = createMemoryPair({});
  client.start(new RecordingHandler());
  pool.server.attach(server);
  client.write('{"id":1,"method":"mining.authorize","params":["alice.rig","hunter2"]}\n');
  client.write('{"id":2,"method":"mining.get_balance","params":["now"]}\n');
  client.write('{"id":3,"method":"mining.refuse","params":[]}\n');
  await settle();
  pool.server.destroy();
  await pool.close();
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return { lines, text };
}

const DEBUG_LEVEL = 20;

describe('DEBUG', () => {
  it('says nothing more when it is empty or names other programs', async () => {
    for (const debug of ['', 'express:*,knex']) {
      const { lines } = await linesWith(debug);
      expect(lines.filter(({ level }) => level <= DEBUG_LEVEL)).toEqual([]);
    }
  });

  it.each(['headframe:rpc', 'jsonrpc', 'express headframe:*'])('%s traces messages and answers', async (debug) => {
    const { lines, text } = await linesWith(debug);
    const trace = lines.filter(({ part }) => part === 'rpc');
    expect(trace.map(({ level, msg, method }) => [level, msg, method])).toEqual([
      [DEBUG_LEVEL, 'in', 'mining.authorize'],
      [DEBUG_LEVEL, 'out', 'mining.authorize'],
      [DEBUG_LEVEL, 'in', 'mining.get_balance'],
      [DEBUG_LEVEL, 'out', 'mining.get_balance'],
      [DEBUG_LEVEL, 'in', 'mining.refuse'],
      [DEBUG_LEVEL, 'out', 'mining.refuse'],
    ]);
    expect(trace[2]).toMatchObject({ params: ['now'] });
    expect(trace[3]).toMatchObject({ result: 7 });
    expect(trace[5]).toMatchObject({ code: 'busy' });
    expect(text).not.toContain('hunter2');
  });

  it('headframe, or a part of it, opens its debug lines and no others', async () => {
    const hello = async (debug: string) => (await linesWith(debug)).lines.find(({ msg }) => msg === 'hello');
    expect(await hello('headframe:server')).toMatchObject({ level: DEBUG_LEVEL, part: 'server' });
    expect(await hello('headframe')).toMatchObject({ part: 'server' });
    expect(await hello('stratum')).toMatchObject({ part: 'server' });
    expect(await hello('headframe:core')).toBeUndefined();
    const { lines } = await linesWith('headframe');
    expect(lines.some(({ part }) => part === 'rpc')).toBe(false);
  });
});

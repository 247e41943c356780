import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElectrumClient, type ElectrumClientOptions } from '../src/index.js';
import { FakeClock, failureOf, modernScript, ScriptedServer, SILENCE, settle } from './support.js';

const SH = '8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161';

async function connected(
  options: Partial<ElectrumClientOptions> = {},
  answers: Readonly<Record<string, unknown>> = {},
) {
  const clock = new FakeClock();
  const server = new ScriptedServer(clock, modernScript(answers));
  const client = new ElectrumClient({ server: 'x', connect: server.connect, clock, reconnect: false, ...options });
  const invalid: (string | undefined)[] = [];
  client.on('invalid', ({ reason }) => invalid.push(reason));
  await client.connect();
  return { clock, server, client, invalid };
}

describe('hostile servers', () => {
  it('a line without end is cut off at the limit', async () => {
    const { client, server } = await connected({ maxLineBytes: 10_000 });
    const waiting = failureOf(client.request('blockchain.scripthash.get_history', SH));
    server.script = () => SILENCE;
    server.raw('{"id":99,"result":"');
    for (let i = 0; i < 20; i++) server.raw('x'.repeat(1000));
    await settle();
    expect(client.connected).toBe(false);
    expect((await waiting).code).toMatch(/request_failed|connection_closed/);
  });

  it('a flood of notifications, answers to nothing and rubbish costs nothing that stays', async () => {
    const { client, server, invalid } = await connected();
    const lines = [
      '{"method":"blockchain.headers.subscribe","params":[{"height":1}]}',
      '{"method":"blockchain.scripthash.subscribe","params":["x",null]}',
      '{"id":4711,"result":1}',
      '{"id":null,"error":"parse error"}',
      'rubbish',
      '[]',
      '[1,2,3]',
      '{"id":{},"method":"x"}',
    ];
    server.raw(`${lines.join('\n')}\n`.repeat(200));
    await settle();
    expect(client.connected).toBe(true);
    expect(client.subscriptions).toBe(0);
    expect(invalid).toHaveLength(200 * 10);
    expect(await client.getBanner()).toBe('welcome');
  });

  it('JSON that is nested without end is refused, not parsed', async () => {
    const { client, server, invalid } = await connected();
    server.raw(`{"id":1,"result":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`);
    await settle();
    expect(invalid).toEqual(['too-deep']);
    expect(client.connected).toBe(true);
  });

  it('an answer with the id of another request goes to that one only, once', async () => {
    const { client, server, invalid } = await connected({}, { 'server.banner': () => SILENCE });
    const first = client.getBanner();
    const second = client.getBanner();
    await settle();
    const [a, b] = server.lines.slice(-2).map((line) => Number(/"id":(\d+)/.exec(line)?.[1]));
    server.raw(`{"id":${b},"result":"two"}\n{"id":${b},"result":"again"}\n{"id":"${a}","result":"one"}\n`);
    expect(await first).toBe('one');
    expect(await second).toBe('two');
    expect(invalid).toHaveLength(1);
  });

  it('an answer of the wrong type is an error of that call alone', async () => {
    const { client } = await connected(
      {},
      {
        'blockchain.scripthash.get_history': [{ tx_hash: SH, height: 1e12 }],
        'blockchain.scripthash.listunspent': [{ tx_hash: '../../etc', tx_pos: 0, height: 0, value: 1 }],
        'blockchain.block.headers': { count: 2, hex: 'abc', max: 2016 },
        'server.peers.subscribe': [['a', 'b', 'c']],
      },
    );
    for (const call of [
      client.getHistory(SH),
      client.listUnspent(SH),
      client.getBlockHeaders(0, 2),
      client.getPeers(),
    ]) {
      expect((await failureOf(call)).code).toBe('invalid_data');
    }
    expect(await client.getBanner()).toBe('welcome');
  });

  it('a hang-up at every byte of the conversation settles everything', async () => {
    const clock = new FakeClock();
    const reference = new ScriptedServer(clock);
    const probe = new ElectrumClient({ server: 'x', connect: reference.connect, clock, reconnect: false });
    await probe.connect();
    await probe.subscribeScripthash(SH);
    const total = reference.open?.bytesWritten ?? 0;
    expect(total).toBeGreaterThan(80);
    for (let cut = 0; cut <= total; cut++) {
      const server = new ScriptedServer(clock);
      server.chunkBytes = 1;
      const client = new ElectrumClient({ server: 'x', clock, reconnect: false, connect: cutAfter(server, cut) });
      const outcomes = await Promise.allSettled([client.connect().then(() => client.subscribeScripthash(SH))]);
      expect(outcomes).toHaveLength(1);
      await client.close();
    }
    // Only the first client's ping is left.
    expect(clock.pending).toBe(1);
  });

  it('any split of the bytes is read alike (property)', async () => {
    const text =
      '{"method":"blockchain.headers.subscribe","params":[{"height":7,"hex":"' +
      '00'.repeat(80) +
      '"}]}\r\n \n[{"id":1,"result":null}]\n';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 6 }), async (cuts) => {
        const { client, server, invalid } = await connected();
        const heights: number[] = [];
        client.on('notification', ({ params }) => heights.push(JSON.stringify(params).length));
        let from = 0;
        for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
          server.raw(text.slice(from, cut));
          from = cut;
          await Promise.resolve();
        }
        await settle();
        expect(heights).toHaveLength(1);
        expect(invalid).toHaveLength(1);
        await client.close();
      }),
      { numRuns: 50 },
    );
  });

  it('a server that does not read is noticed before memory is', async () => {
    const { client, clock, server } = await connected({ maxPending: 10_000 });
    server.open?.freeze();
    const raw = '00'.repeat(1_000_000);
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 20; i++) {
      client.broadcast(raw).catch((error: { readonly code?: string }) => codes.push(error.code));
      await Promise.resolve();
      await settle();
    }
    expect(codes.length).toBeGreaterThan(5);
    expect(new Set(codes)).toEqual(new Set(['queue_full']));
    const closed = client.close();
    // It does not end its side either: the connection is cut after the linger time.
    await clock.advanceAsync(10_000);
    await closed;
    expect(codes).toHaveLength(20);
  });
});

/** Connects, and hangs up when the server has sent so many bytes. */
function cutAfter(server: ScriptedServer, bytes: number): ScriptedServer['connect'] {
  return async () => {
    const connection = await server.connect();
    const { start } = connection;
    let seen = 0;
    connection.start = (handler) => {
      start.call(connection, {
        ...handler,
        data: (chunk) => {
          if (seen >= bytes) {
            connection.destroy();
            return;
          }
          seen += chunk.length;
          handler.data(chunk);
          if (seen >= bytes) connection.destroy();
        },
      });
      if (bytes === 0) connection.destroy();
    };
    return connection;
  };
}

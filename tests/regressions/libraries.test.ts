import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, Socket } from 'node:net';
import { connectStratum, MiningClient } from '@headframe/client';
import { createServer } from '@headframe/server';
import { afterEach, describe, expect, it, vi } from 'vitest';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

/** A pool over TCP that answers each method from a table, with the error `null`. */
async function scriptedPool(answers: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createTcpServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const { id, method } = JSON.parse(text.slice(0, end)) as { readonly id: unknown; readonly method: string };
        socket.write(`${JSON.stringify({ id, result: answers[method] ?? null, error: null })}\n`);
        text = text.slice(end + 1);
      }
    });
    closing.push(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ownServer(): Promise<{ readonly url: string; readonly server: ReturnType<typeof createServer> }> {
  const server = createServer({ listeners: [{ host: '127.0.0.1', port: 0 }] });
  closing.push(() => server.destroy());
  const [listener] = await server.listen();
  return { url: `127.0.0.1:${listener?.port}`, server };
}

describe('node-stratum', () => {
  it.each([false, null, 'ok', 1])('a result of %j without an error is no authorization', async (result) => {
    const url = await scriptedPool({
      'mining.subscribe': [[['mining.notify', 'ab']], '0c7ab001', 4],
      'mining.authorize': result,
    });
    const client = new MiningClient({ url, workers: [{ username: 'alice' }], reconnect: false, versionRolling: false });
    closing.push(() => client.close());
    await expect(client.start()).rejects.toMatchObject({ code: 'request_failed' });
    expect(client.ready).toBe(false);
  });

  it('no id of ours is the name of a session: notifications have none, questions a whole number', async () => {
    const { url, server } = await ownServer();
    const client = await connectStratum({ url });
    closing.push(() => client.destroy());
    await client.request('mining.subscribe', []);
    await client.request('mining.authorize', ['alice.rig', 'x']);
    const ids: unknown[] = [];
    const told = new Promise<void>((resolve) => {
      client.on('message', ({ method, id }) => {
        ids.push(id);
        if (method === 'client.show_message') resolve();
      });
    });
    const [session] = [...server.sessions];
    await session?.request('mining.ping', []);
    await session?.request('client.get_version', []);
    server.notifyAll('client.show_message', ['hello'], ({ id }) => id === session?.id);
    await told;
    expect(ids).toHaveLength(3);
    const [first, second, note] = ids;
    expect([Number.isSafeInteger(first), Number.isSafeInteger(second), first === second]).toEqual([true, true, false]);
    expect(note).toBeUndefined();
  });

  it('keepalive is asked for in milliseconds that make sense', async () => {
    const asked = vi.spyOn(Socket.prototype, 'setKeepAlive');
    const client = await connectStratum({ url: (await ownServer()).url });
    closing.push(() => client.destroy());
    await client.request('mining.subscribe', []);
    const delays = asked.mock.calls.flatMap(([isOn, delayMs]) => (isOn === true ? [delayMs] : []));
    expect(delays.length).toBeGreaterThan(0);
    for (const delayMs of delays) expect(delayMs).toBeGreaterThanOrEqual(10_000);
  });
});

describe('Rust stratum-server', () => {
  it('what a handler returns is the answer, and a request without an id costs nothing', async () => {
    const { url, server } = await ownServer();
    server.method('twice', { handler: ({ params }) => (params as number[]).map((value) => 2 * value) });
    const client = await connectStratum({ url });
    closing.push(() => client.destroy());
    client.sendRaw('{"method":"twice","params":[1]}\n{"id":null,"method":"nothing.of.the.kind","params":[]}\n');
    expect(await client.request('twice', [21])).toEqual([42]);
    await expect(client.request('nothing.of.the.kind', [])).rejects.toMatchObject({ code: 'request_failed' });
    expect(client.closed).toBe(false);
  });
});

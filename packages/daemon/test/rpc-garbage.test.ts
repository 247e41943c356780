import { type AddressInfo, createServer, type Server } from 'node:net';
import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRpcClient } from '../src/index.js';

let server: Server;
let answer: readonly Buffer[] = [];

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (const part of answer) socket.write(part);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const piece = fc.oneof(
  fc
    .constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 500 Oops\r\n',
      'HTTP/1.1 401 No\r\n',
      'Content-Length: 30\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '{"result":null,"error":null}',
      '{"result":1,',
      '{"error":{"code":-9}}',
      '[]',
      '5\r\nnull \r\n0\r\n\r\n',
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

test('whatever bytes a node answers with, a call settles: with a result or a PoolError', async () => {
  const { port } = server.address() as AddressInfo;
  const client = createRpcClient({ url: `http://127.0.0.1:${port}`, maxResponseBytes: 1000 });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.boolean(), async (parts, own) => {
      answer = parts;
      const outcome = await client.call('getblockcount', [], { connection: own ? 'own' : 'shared' }).then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      );
      if ('error' in outcome) expect(isPoolError(outcome.error)).toBe(true);
      answer = parts;
      await client.batch([{ method: 'a', params: [] }]).catch((error: unknown) => {
        expect(isPoolError(error)).toBe(true);
      });
    }),
    { numRuns: 300 },
  );
  client.close();
});

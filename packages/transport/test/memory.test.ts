import { FakeClock, settle } from '@headframe/primitives/testing';
import type { ConnectionHandler } from '@headframe/transport';
import { createMemoryPair, listenMemory, type MemoryConnection, RecordingHandler } from '@headframe/transport/testing';
import { describe, expect, it } from 'vitest';

describe('createMemoryPair', () => {
  it('counts bytes and splits writes as asked', async () => {
    const { client, server } = createMemoryPair({ chunkBytes: 3 });
    const handler = new RecordingHandler();
    server.start(handler);
    client.write('01234');
    client.write('56789');
    await settle();
    expect(handler.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(['012', '345', '678', '9']);
    expect([client.bytesWritten, server.bytesRead, client.bytesRead]).toEqual([10, 10, 0]);
  });

  it('overwrites lent chunks after the call', async () => {
    const { client, server } = createMemoryPair();
    const kept: Uint8Array[] = [];
    const careless: ConnectionHandler = { data: (chunk) => kept.push(chunk), drain() {}, closed() {} };
    server.start(careless);
    const mine = Buffer.from('secret');
    client.write(mine);
    await settle();
    expect(Buffer.from(kept[0] ?? []).toString()).not.toBe('secret');
    expect(mine.toString()).toBe('secret');
  });

  it('a frozen end does not read, and goes on where it stopped', async () => {
    const { client, server } = createMemoryPair({ windowBytes: 10 });
    const handler = new RecordingHandler();
    client.start(handler);
    server.start(new RecordingHandler());
    client.freeze();
    server.write('0123456789');
    expect(server.unsentBytes).toBe(0);
    server.write('abc');
    await settle();
    expect([server.unsentBytes, handler.bytes, client.bytesWaiting]).toEqual([3, 0, 13]);
    client.thaw();
    await settle();
    expect([server.unsentBytes, handler.text]).toEqual([0, '0123456789abc']);
  });
});

describe('listenMemory', () => {
  it('connects, counts, refuses and closes', async () => {
    const accepted: MemoryConnection[] = [];
    const listener = listenMemory(
      { clock: new FakeClock(), serverPort: 4444, accept: (address) => address !== '192.0.2.1' },
      (connection) => accepted.push(connection),
    );
    const client = listener.connect({ clientAddress: '192.0.2.2', clientPort: 7 });
    expect(accepted[0]).toMatchObject({ remoteAddress: '192.0.2.2', remotePort: 7, localPort: 4444, kind: 'memory' });
    expect(listener.address).toEqual({ host: 'memory', port: 4444 });
    expect(listener.connections).toBe(1);
    expect(() => listener.connect({ clientAddress: '192.0.2.1' })).toThrow(
      expect.objectContaining({ code: 'connection_refused' }),
    );
    client.destroy();
    accepted[0]?.start(new RecordingHandler());
    await settle();
    expect(listener.connections).toBe(0);
    await listener.close();
    expect(() => listener.connect()).toThrow(expect.objectContaining({ code: 'connection_refused' }));
  });
});

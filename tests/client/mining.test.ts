import { X509Certificate } from 'node:crypto';
import { CpuMiner, MiningClient, type ReadyEvent } from '@headframe/client';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startPool } from './pool.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function nextReady(client: MiningClient): Promise<ReadyEvent> {
  return new Promise((resolve) => {
    const off = client.on('ready', (event) => {
      off();
      resolve(event);
    });
  });
}

describe('a mining client on our pool', () => {
  it('mines over TLS with a pin, loses the connection, and goes on with the same extranonce', async () => {
    const { port, close } = await startPool({ tls: { cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key } });
    closing.push(close);
    const client = new MiningClient({
      url: `stratum+ssl://127.0.0.1:${port}`,
      workers: [{ username: 'alice.one' }, { username: 'alice.two' }],
      tls: { fingerprint256: new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256 },
      reconnect: { minDelayMs: 50 },
    });
    closing.push(() => client.close());
    const first = nextReady(client);
    await client.start();
    expect(await first).toMatchObject({ resumed: false, pool: 0, versionMask: 0x1fffe000 });

    const miner = new CpuMiner(client, { maxSharesPerSecond: 20, worker: 'alice.two' });
    closing.push(() => miner.stop());
    const accepted = new Promise((resolve) => miner.on('accepted', resolve));
    miner.start();
    await accepted;

    const second = nextReady(client);
    client.connection?.destroy();
    const { resumed, subscription } = await second;
    expect(resumed).toBe(true);
    expect(subscription.extranonce1).toEqual((await first).subscription.extranonce1);
    await new Promise((resolve) => miner.on('accepted', resolve));
    await miner.stop();
    expect(await client.ping()).toBeGreaterThan(0);
    const { job } = client;
    expect(await client.getTransactions(job?.jobId ?? '')).toEqual([]);
  });
});

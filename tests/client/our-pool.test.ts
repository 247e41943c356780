import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProbeReport, probePool } from '@headframe/client';
import { createDevNode } from '@headframe/devnode';
import { createPool, type PoolConfigInput } from '@headframe/pool';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startPool(listener: Partial<PoolConfigInput['listeners'][number]> = {}): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'headframe-probe-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const node = createDevNode({ user: 'u', password: 'p' });
  await node.start();
  closing.push(() => node.close());
  const pool = createPool({
    coin: 'bitcoin',
    network: 'regtest',
    daemons: [{ url: node.url, user: 'u', password: 'p' }],
    payout: { scheme: 'solo', address: ADDRESS },
    // Easy enough to find a share at once, hard enough that not every hash is one.
    listeners: [{ host: '127.0.0.1', port: 0, difficulty: { start: 1e-6, target: 15 }, ...listener }],
    dataFolder: folder,
    validation: 'inline',
    log: { level: 'silent' },
  });
  await pool.listen();
  closing.push(() => pool.close());
  const port = pool.addresses[0]?.port;
  if (port === undefined) throw new Error('the pool does not listen');
  return port;
}

function notFine({ findings }: ProbeReport): readonly string[] {
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status, text }) => `${check}: ${status}: ${text}`);
}

describe('headframe probe against our own pool', () => {
  it('finds nothing but good over TCP', async () => {
    const port = await startPool({});
    const report = await probePool({
      url: `stratum+tcp://127.0.0.1:${port}`,
      worker: { username: 'alice.rig' },
      watchMs: 100,
    });
    expect(notFine(report)).toEqual(['tls: not checked: The address asks for plain TCP.']);
    expect(report.verdict).toBe('ok');
    expect(report.facts).toMatchObject({
      extranonce1Bytes: 4,
      extranonce2Bytes: 8,
      versionMask: '1fffe000',
      height: 1,
    });
  });

  it('finds nothing but good over TLS', async () => {
    const port = await startPool({ tls: { cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key } });
    const probe = (ca?: string): Promise<ProbeReport> =>
      probePool({
        url: `stratum+ssl://127.0.0.1:${port}`,
        worker: { username: 'alice.rig' },
        watchMs: 100,
        ...(ca !== undefined && { tls: { ca } }),
      });
    expect(notFine(await probe(TEST_CERTIFICATE.cert))).toEqual([]);
    expect(notFine(await probe())).toEqual([expect.stringMatching(/^tls: warning: .*not trusted here/)]);
  });
});

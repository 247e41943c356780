import { type ProbeReport, probePool } from '@headframe/client';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startPool } from './pool.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function notFine({ findings }: ProbeReport): readonly string[] {
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status, text }) => `${check}: ${status}: ${text}`);
}

describe('headframe probe against our own pool', () => {
  it('finds nothing but good over TCP', async () => {
    const { port, close } = await startPool();
    closing.push(close);
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
    const { port, close } = await startPool({ tls: { cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key } });
    closing.push(close);
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

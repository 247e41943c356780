import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair, TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCoinbase } from '../src/probe/coinbase.js';
import { checkHttp, checkTls } from '../src/probe/port-checks.js';
import { Findings } from '../src/probe/report.js';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('HTTP on the port', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\nX-Stratum: stratum+tcp://a:1\r\n\r\n', true, 'ok', /200 OK" and X-Stratum stratum\+tcp/],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', true, 'ok', /400 Bad Request"\.$/],
    ['HTTP/1.1 200 OK\r\n\r\n', false, 'warning', /stays open/],
    ['HTTP/1.1 200 OK\nX-Stratum: stratum+tcp://a:1\n\n', true, 'warning', /LF alone/],
    ['{"error":"parse"}\n', true, 'warning', /something else/],
    ['', true, 'not supported', /closed/],
    ['', false, 'warning', /neither/],
    [`HTTP/1.1 200 ${'x'.repeat(20_000)}`, false, 'ok', /x{20}\.\.\./],
  ] as const)('answered with %j', async (text, closes, status, says) => {
    const clock = new FakeClock();
    const pair = createMemoryPair({ clock });
    const findings = new Findings();
    let received = '';
    pair.server.start({
      data: (chunk) => {
        received += Buffer.from(chunk).toString('latin1');
        if (text !== '') pair.server.write(text);
        if (closes) pair.server.end();
      },
      drain: () => {},
      closed: () => {},
    });
    const checking = checkHttp(pair.client, clock, 1000, findings);
    for (let i = 0; i < 30; i++) {
      await settle();
      clock.advance(100);
    }
    await checking;
    expect(received).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
    expect(findings.list()).toEqual([{ check: 'http', status, text: expect.stringMatching(says) }]);
    await settle();
    expect(pair.client.closing).toBe(true);
  });
});

describe('TLS on the port', () => {
  const certificate = { cert: TEST_CERTIFICATE.cert, key: TEST_CERTIFICATE.key };

  async function check(server: Server, tls: object, now = Date.now(), timeoutMs = 5000): Promise<Findings> {
    const port = await listen(server);
    const findings = new Findings();
    await checkTls({ host: '127.0.0.1', port, secure: true }, { tls, now, timeoutMs }, findings);
    return findings;
  }
  const secure = (): Server => createTlsServer(certificate, (socket) => socket.on('error', () => {}));

  it('is good when the certificate is trusted or pinned, and doubtful when it is neither', async () => {
    const trusted = await check(secure(), { ca: TEST_CERTIFICATE.cert });
    expect(trusted.list()[0]?.status).toBe('ok');
    expect(trusted.facts.tls).toMatchObject({ protocol: 'TLSv1.3', trusted: true });
    const fingerprint256 = trusted.facts.tls?.fingerprint256;
    expect((await check(secure(), { fingerprint256 })).list()[0]?.status).toBe('ok');
    const other = await check(secure(), { ca: TEST_CERTIFICATE.cert, fingerprint256: '00'.repeat(32) });
    expect(other.list()[0]).toMatchObject({ status: 'wrong', text: expect.stringContaining('not the pinned one') });
    expect(other.facts.tls?.trusted).toBe(false);
    const unknown = await check(secure(), {});
    expect(unknown.list()[0]).toMatchObject({ status: 'warning', text: expect.stringContaining('not trusted') });
    expect(unknown.facts.tls?.trusted).toBe(false);
  });

  it('tells of a certificate that has ended or soon will', async () => {
    const validTo = Date.parse((await check(secure(), {})).facts.tls?.validTo ?? '');
    const tls = { ca: TEST_CERTIFICATE.cert };
    const soon = await check(secure(), tls, validTo - 86_400_000);
    expect(soon.list()[0]).toMatchObject({ status: 'warning', text: expect.stringContaining('1 days left') });
    const over = await check(secure(), tls, validTo + 86_400_000);
    expect(over.list()[0]).toMatchObject({ status: 'wrong', text: expect.stringContaining('has ended') });
  });

  it('tells of a port that does not speak it, or not in time', async () => {
    const plain = await check(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('hello\n'),
      ),
      {},
    );
    expect(plain.list()[0]).toMatchObject({ status: 'wrong', text: expect.stringContaining('failed') });
    const mute = await check(
      createServer((socket) => socket.on('error', () => {}).resume()),
      {},
      Date.now(),
      200,
    );
    expect(mute.list()[0]).toMatchObject({ status: 'wrong', text: expect.stringContaining('in time') });
  });
});

describe('parseCoinbase', () => {
  const coinbase = (script: string, rest = ''): Uint8Array =>
    Buffer.from(
      `01000000` +
        `01${'00'.repeat(32)}ffffffff${(script.length / 2).toString(16).padStart(2, '0')}${script}00000000` +
        `0100f2052a010000000151` +
        `00000000${rest}`,
      'hex',
    );

  it.each([
    ['5151', 1],
    ['6000', 16],
    ['0000', 0],
    ['01110000', 17],
    ['03a0860100', 100_000],
    ['0600000000000000', undefined],
  ])('reads the height of script %s', (script, height) => {
    expect(parseCoinbase(coinbase(script))).toMatchObject({ height, outputs: 1, value: 5_000_000_000n, extraBytes: 0 });
  });

  it('takes a payload behind it, and tells what is wrong', () => {
    expect(parseCoinbase(coinbase('5151', '0102'))).toMatchObject({ extraBytes: 2 });
    expect(parseCoinbase(coinbase('51'))).toContain('has 1 bytes');
    expect(parseCoinbase(coinbase('51'.repeat(101)))).toContain('has 101 bytes');
    expect(parseCoinbase(coinbase('5151').subarray(0, 60))).toContain('too early');
    const two = coinbase('5151');
    two[4] = 2;
    expect(parseCoinbase(two)).toContain('2 inputs');
    const none = Uint8Array.from(coinbase('5151'));
    none[4 + 1 + 36 + 1 + 2 + 4] = 0;
    expect(parseCoinbase(none)).toContain('no outputs');
  });
});

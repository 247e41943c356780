import { type ProxyHeaderResult, parseProxyHeader } from '@headframe/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proxyV2 } from './proxy-bytes.js';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function expectAtEverySplit(header: Uint8Array, result: ProxyHeaderResult): void {
  for (let length = 1; length < header.length; length++) {
    expect(parseProxyHeader(header, length), `first ${length} bytes`).toEqual({ status: 'more' });
  }
  expect(parseProxyHeader(header)).toEqual(result);
  const glued = Buffer.concat([header, ascii('{"id":1}\n')]);
  expect(parseProxyHeader(glued)).toEqual(result);
}

describe('PROXY protocol v1', () => {
  it('reads TCP4', () => {
    const header = ascii('PROXY TCP4 192.0.2.7 198.51.100.1 56324 3333\r\n');
    expectAtEverySplit(header, {
      status: 'done',
      version: 1,
      headerLength: header.length,
      source: { address: '192.0.2.7', port: 56_324 },
      destination: { address: '198.51.100.1', port: 3333 },
    });
  });

  it('reads TCP6 and writes addresses in one way', () => {
    const header = ascii('PROXY TCP6 2001:DB8:0:0::1 ::FFFF:1.2.3.4 1 0\r\n');
    expectAtEverySplit(header, {
      status: 'done',
      version: 1,
      headerLength: header.length,
      source: { address: '2001:db8::1', port: 1 },
      destination: { address: '1.2.3.4', port: 0 },
    });
  });

  it.each([
    'PROXY UNKNOWN\r\n',
    'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n',
    `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`,
  ])('leaves the address alone: %s', (text) => {
    expectAtEverySplit(ascii(text), {
      status: 'done',
      version: 1,
      headerLength: text.length,
      source: undefined,
      destination: undefined,
    });
  });

  it.each([
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 3333 1\r\n',
    'PROXY TCP4 192.0.2.7  198.51.100.1 56324 3333\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 56324 3333\r\n',
    'PROXY TCP4 ::1 ::1 56324 3333\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 56324 3333\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 56324 3333\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 3333\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 056 3333\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 3333\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 5e1 3333\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 3333 \r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 56324 3333\r\n',
    'PROXY \r\n',
    'PROXY UNKNOWN\n',
    'PROXY UNKNOWN\r{',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
    `PROXY UNKNOWN ${'x'.repeat(92)}`,
  ])('refuses %j', (text) => {
    expect(parseProxyHeader(ascii(text))).toMatchObject({ status: 'invalid' });
  });
});

describe('PROXY protocol v2', () => {
  it('reads TCP4 and skips TLVs', () => {
    for (const tlvs of [new Uint8Array(0), Uint8Array.of(4, 0, 3, 1, 2, 3), new Uint8Array(1000)]) {
      const header = proxyV2({ family: 0x11, body: [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x0d, 0x05], tlvs });
      expectAtEverySplit(header, {
        status: 'done',
        version: 2,
        headerLength: header.length,
        source: { address: '192.0.2.7', port: 56_324 },
        destination: { address: '198.51.100.1', port: 3333 },
      });
    }
  });

  it('reads TCP6', () => {
    const source = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3];
    const header = proxyV2({ family: 0x21, body: [...source, ...mapped, 0, 1, 0, 2] });
    expectAtEverySplit(header, {
      status: 'done',
      version: 2,
      headerLength: header.length,
      source: { address: '2001:db8::1', port: 1 },
      destination: { address: '10.1.2.3', port: 2 },
    });
  });

  it.each([
    ['LOCAL', proxyV2({ command: 0x20, family: 0x00, body: [] })],
    ['LOCAL with addresses', proxyV2({ command: 0x20, family: 0x11, body: [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2] })],
    ['UNSPEC', proxyV2({ family: 0x00, body: [1, 2, 3] })],
    ['UDP over IPv4', proxyV2({ family: 0x12, body: [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2] })],
    ['UNIX', proxyV2({ family: 0x31, body: new Array<number>(216).fill(0) })],
  ])('%s leaves the address alone', (_, header) => {
    expectAtEverySplit(header, {
      status: 'done',
      version: 2,
      headerLength: header.length,
      source: undefined,
      destination: undefined,
    });
  });

  it('refuses other versions, other commands, short addresses and endless ones', () => {
    const good = proxyV2({ family: 0x11, body: [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 2] });
    for (const [at, value] of [
      [12, 0x11],
      [12, 0x31],
      [12, 0x22],
      [15, 11],
      [14, 0x11],
    ] as const) {
      const bad = Uint8Array.from(good);
      bad[at] = value;
      expect(parseProxyHeader(bad), `byte ${at} is ${value}`).toMatchObject({ status: 'invalid' });
    }
    // At the first byte that shows it, not when the rest has come.
    expect(parseProxyHeader(Uint8Array.from([...good.subarray(0, 12), 0x31]))).toMatchObject({ status: 'invalid' });
  });
});

describe('parseProxyHeader', () => {
  it.each(['{"id":1}', 'GET / HTTP/1.1', '\n', '\r\n{', 'PROXX', 'proxy TCP4', '\x16\x03\x01'])(
    '%j is none',
    (text) => {
      expect(parseProxyHeader(ascii(text))).toEqual({ status: 'absent' });
    },
  );

  it('asks for more while it may become one', () => {
    for (const text of ['P', 'PRO', 'PROXY', '\r', '\r\n\r\n\0\r\nQUIT']) {
      expect(parseProxyHeader(ascii(text)), text).toEqual({ status: 'more' });
    }
  });

  it('never throws, stays with its answer, and never asks for more than the bound (property)', () => {
    const start = fc.constantFrom(
      'PROXY ',
      'PROXY TCP4 ',
      'PROXY TCP6 ',
      '\r\n\r\n\0\r\nQUIT\n\x21\x11',
      '\r\n\r\n\0\r\nQUIT\n',
      '',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 6000 }), (prefix, tail) => {
        const bytes = Buffer.concat([ascii(prefix), tail]);
        let last: ProxyHeaderResult = { status: 'more' };
        for (let length = 1; length <= bytes.length; length += length < 200 ? 1 : 97) {
          const result = parseProxyHeader(bytes, length);
          if (last.status !== 'more') expect(result).toEqual(last);
          if (result.status === 'more') expect(length).toBeLessThan(4096 + 16);
          if (result.status === 'done') expect(result.headerLength).toBeLessThanOrEqual(length);
          last = result;
        }
      }),
      { numRuns: 200 },
    );
  });
});

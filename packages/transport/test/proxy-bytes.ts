/** A PROXY v2 header with the given body. */
export function proxyV2(options: {
  command?: number;
  family: number;
  body: readonly number[];
  tlvs?: Uint8Array;
}): Uint8Array {
  const tlvs = options.tlvs ?? new Uint8Array(0);
  const length = options.body.length + tlvs.length;
  return Uint8Array.from([
    ...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    options.command ?? 0x21,
    options.family,
    length >> 8,
    length & 255,
    ...options.body,
    ...tlvs,
  ]);
}

/** A v2 header that tells of 192.0.2.7:56324. */
export const PROXY_V2_TCP4: Uint8Array = proxyV2({
  family: 0x11,
  body: [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x0d, 0x05],
});

/** A v1 header that tells of 192.0.2.7:56324. */
export const PROXY_V1_TCP4: Uint8Array = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 3333\r\n', 'latin1');

/** Bytes of a text, one per character. */
export const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** How a miner opens. */
export const LINE = '{"id":1,"method":"mining.subscribe","params":[]}\n{"id":2}\n';
/** How a browser opens. */
export const HTTP = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

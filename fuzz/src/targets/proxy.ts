import { isIP } from 'node:net';
import { parseProxyHeader } from '@headframe/transport';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

export const proxyTarget: FuzzTarget = {
  name: 'proxy',
  promise: 'PROXY headers never throw, and once decided more bytes change nothing',
  maxBytes: 600,
  dictionary: [
    'PROXY TCP4 ',
    'PROXY TCP6 ',
    'PROXY UNKNOWN',
    '\r\n',
    '192.0.2.1 ',
    '2001:db8::1 ',
    '::ffff:192.0.2.1 ',
    '65535',
    '\r\n\r\n\0\r\nQUIT\n',
    '!\u0011\0\u000c',
  ],
  run(bytes) {
    let decided: string | undefined;
    let status = 'more';
    for (let length = 1; length <= bytes.length; length++) {
      const result = parseProxyHeader(bytes, length);
      const text = JSON.stringify(result);
      if (decided !== undefined) check(text === decided, `at ${length} bytes ${text}, before ${decided}`);
      else if (result.status !== 'more') decided = text;
      if (result.status === 'done') {
        check(result.headerLength <= length, 'the header lies within the bytes');
        for (const end of [result.source, result.destination]) {
          if (end === undefined) continue;
          check(isIP(end.address) !== 0, `an address: ${end.address}`);
          check(end.port >= 0 && end.port <= 65_535, 'a port');
        }
        status = `done v${result.version} ${result.source === undefined ? 'unknown' : isIP(result.source.address)}`;
      } else status = result.status === 'invalid' ? result.reason : result.status;
    }
    return status;
  },
};

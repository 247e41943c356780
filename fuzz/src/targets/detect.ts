import { detectTls, httpDetector, jsonDetector, MAX_PREFIX_BYTES } from '@headframe/transport';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

export const detectTarget: FuzzTarget = {
  name: 'detect',
  promise: 'detectors decide in time, never change their mind, and no two of them claim one stream',
  maxBytes: MAX_PREFIX_BYTES,
  dictionary: [
    '{"',
    '{"id":1,"method":"',
    '\u00ef\u00bb\u00bf',
    'GET / HTTP/1.1',
    'CONNECT ',
    'PRI * HTTP/2',
    '\u0016\u0003\u0001',
    '{}\n',
    '{ "',
  ],
  run(bytes) {
    const detectors = [
      ['json', (length: number) => jsonDetector.detect(bytes, length)],
      ['http', (length: number) => httpDetector.detect(bytes, length)],
      ['tls', (length: number) => detectTls(bytes, length)],
    ] as const;
    const claims: string[] = [];
    for (const [name, detect] of detectors) {
      let answer = 'more';
      for (let length = 1; length <= bytes.length; length++) {
        const now = detect(length);
        check(answer === 'more' || now === answer, `${name} changed from ${answer} to ${now} at ${length}`);
        answer = now;
      }
      if (answer === 'yes') claims.push(name);
      if (answer === 'more') claims.push(`${name}?`);
    }
    check(claims.filter((claim) => !claim.endsWith('?')).length <= 1, `claimed by ${claims.join()}`);
    return claims.join(' ');
  },
};

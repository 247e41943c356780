import { httpProbeAnswer } from '@headframe/transport';
import { describe, expect, it } from 'vitest';

describe('httpProbeAnswer', () => {
  it('is a whole HTTP answer that names the stratum port', () => {
    const text = Buffer.from(
      httpProbeAnswer({ stratumUrl: 'stratum+tcp://pool.example:3333', now: Date.UTC(2024, 0, 2, 3, 4, 5) }),
    ).toString('latin1');
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const lines = head.split('\r\n');
    expect(lines[0]).toBe('HTTP/1.1 200 OK');
    expect(lines).toContain('X-Stratum: stratum+tcp://pool.example:3333');
    expect(lines).toContain('Connection: close');
    expect(lines).toContain('Date: Tue, 02 Jan 2024 03:04:05 GMT');
    expect(lines).toContain(`Content-Length: ${body.length}`);
    expect(text.replaceAll('\r\n', '')).not.toContain('\r');
  });

  it.each(['', 'a b', 'stratum+tcp://x\r\nSet-Cookie: a', 'stratum+tcp://\u00fc'])('refuses %j', (stratumUrl) => {
    expect(() => httpProbeAnswer({ stratumUrl, now: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

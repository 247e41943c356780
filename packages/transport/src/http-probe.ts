import { asciiToBytes, PoolError } from '@headframe/primitives';

export interface HttpProbeAnswerOptions {
  /** Where miners connect, e.g. `stratum+tcp://pool.example:3333`. */
  readonly stratumUrl: string;
  /** Unix time in milliseconds, for the Date header. */
  readonly now: number;
}

/**
 * A whole HTTP/1.1 answer for somebody who speaks HTTP to a mining port. `X-Stratum` makes old getwork miners switch
 * over. The status is 200 because clients built on libcurl with "fail on error" drop the headers of any other.
 * @throws PoolError `invalid_argument` when the URL holds anything but visible ASCII (it goes into a header).
 */
export function httpProbeAnswer(options: HttpProbeAnswerOptions): Uint8Array {
  const { stratumUrl, now } = options;
  if (!/^[\x21-\x7e]+$/.test(stratumUrl)) throw new PoolError('invalid_argument', 'stratum URL must be visible ASCII');
  const body = `This port speaks Stratum. Point a miner at ${stratumUrl}\n`;
  return asciiToBytes(
    [
      'HTTP/1.1 200 OK',
      `Date: ${new Date(now).toUTCString()}`,
      `X-Stratum: ${stratumUrl}`,
      'Content-Type: text/plain',
      `Content-Length: ${body.length}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

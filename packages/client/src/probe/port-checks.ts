import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { type Clock, errorMessage } from '@headframe/primitives';
import type { Connection, TlsClientOptions } from '@headframe/transport';
import type { StratumEndpoint } from '../url.js';
import { type Findings, printable } from './report.js';

const MAX_HTTP_BYTES = 8192;
const DAY_MS = 86_400_000;
/** Certificates of public authorities are renewed a month before they end. */
const SOON_DAYS = 14;

/** What the port says to HTTP: old miners and load balancers try it. */
export async function checkHttp(
  connection: Connection,
  clock: Clock,
  waitMs: number,
  findings: Findings,
): Promise<void> {
  let text = '';
  const ended = await new Promise<boolean>((resolve) => {
    const timer = clock.setTimeout(() => resolve(false), waitMs);
    const done = (): void => {
      timer.cancel();
      resolve(true);
    };
    connection.start({
      data: (chunk) => {
        text += Buffer.from(chunk).toString('latin1');
        if (text.length > MAX_HTTP_BYTES) connection.destroy();
      },
      drain: () => {},
      closed: done,
    });
    connection.write('GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n');
  });
  connection.destroy();
  const [status = ''] = text.split(/\r?\n/);
  const stratum = /^x-stratum:\s*(\S+)/im.exec(text)?.[1];
  if (/^HTTP\/1\.[01] \d{3}/.test(status)) {
    const where = stratum === undefined ? '' : ` and X-Stratum ${printable(stratum)}`;
    if (text.startsWith(`${status}\n`)) {
      findings.add('http', 'warning', `HTTP is answered with lines that end in LF alone, which is no HTTP${where}.`);
    } else if (ended) findings.add('http', 'ok', `HTTP is answered with "${printable(status)}"${where}.`);
    else
      findings.add('http', 'warning', `HTTP is answered with "${printable(status)}", but the connection stays open.`);
  } else if (text !== '') findings.add('http', 'warning', 'HTTP is answered with something else than HTTP.');
  else if (ended) findings.add('http', 'not supported', 'HTTP is not answered; the connection is closed.');
  else findings.add('http', 'warning', 'HTTP is neither answered nor closed: such connections cost the pool memory.');
}

export interface TlsCheckOptions {
  readonly tls: TlsClientOptions;
  /** Unix milliseconds. */
  readonly now: number;
  readonly timeoutMs: number;
}

/** The TLS of the pool, looked at without trusting it. Never rejects. */
export function checkTls(
  endpoint: StratumEndpoint,
  { tls, now, timeoutMs }: TlsCheckOptions,
  findings: Findings,
): Promise<void> {
  return new Promise((resolve) => {
    const isAddress = /^[0-9.]+$|:/.test(endpoint.host);
    const socket = connectTls({
      host: endpoint.host,
      port: endpoint.port,
      ...(tls.servername !== undefined && { servername: tls.servername }),
      ...(tls.servername === undefined && !isAddress && { servername: endpoint.host }),
      ...(tls.ca !== undefined && { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
      rejectUnauthorized: false,
    });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(timeoutMs, () => {
      findings.add('tls', 'wrong', 'The TLS handshake was not finished in time.');
      done();
    });
    socket.on('error', (error) => {
      findings.add('tls', 'wrong', `The TLS handshake failed: ${printable(errorMessage(error))}.`);
      done();
    });
    socket.once('secureConnect', () => {
      const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
      const validTo = certificate.valid_to ?? '';
      const protocol = socket.getProtocol() ?? 'unknown';
      const cipher = socket.getCipher().name;
      const pin = tls.fingerprint256;
      const isPinned = pin !== undefined && plain(pin) === plain(certificate.fingerprint256);
      const trusted = pin === undefined ? socket.authorized : isPinned;
      findings.facts.tls = {
        protocol,
        cipher,
        subject: printable(String(certificate.subject?.CN ?? '')),
        validTo,
        fingerprint256: certificate.fingerprint256 ?? '',
        trusted,
      };
      const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
      const text = `${protocol}, ${cipher}, certificate until ${validTo}`;
      if (days < 0) findings.add('tls', 'wrong', `${text}: it has ended.`);
      else if (pin !== undefined && !isPinned) {
        findings.add('tls', 'wrong', `${text}: fingerprint ${certificate.fingerprint256}, not the pinned one.`);
      } else if (!trusted) {
        findings.add('tls', 'warning', `${text}; not trusted here (${printable(String(socket.authorizationError))}).`);
      } else if (days < SOON_DAYS) findings.add('tls', 'warning', `${text}: ${days} days left.`);
      else findings.add('tls', 'ok', `${text}.`);
      done();
    });
  });
}

function plain(fingerprint = ''): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}

import { readFileSync } from 'node:fs';
import { errorMessage } from '@headframe/primitives';
import type { TlsClientOptions } from '@headframe/transport';
import { type Args, type OptionHelp, UsageError } from './args.js';

/** Options of commands that talk to a pool over TLS. */
export const TLS_OPTIONS: Readonly<Record<'ca' | 'pin' | 'insecure', OptionHelp>> = {
  ca: { type: 'string', value: 'FILE', help: 'With TLS: trust the authorities in this PEM file.' },
  pin: { type: 'string', value: 'SHA256', help: 'With TLS: accept exactly the certificate with this fingerprint.' },
  insecure: { type: 'boolean', help: 'With TLS: accept a certificate that nobody signed.' },
};

/** @throws UsageError when the file cannot be read or the fingerprint is none */
export function tlsOptions(args: Args): TlsClientOptions {
  const file = args.text('ca');
  const pin = args.text('pin')?.replaceAll(':', '');
  if (pin !== undefined && !/^[0-9a-fA-F]{64}$/.test(pin)) {
    throw new UsageError('--pin is the SHA-256 fingerprint of the certificate: 64 hex digits, colons allowed');
  }
  return {
    ...(file !== undefined && { ca: read(file) }),
    ...(pin !== undefined && { fingerprint256: pin }),
    ...(args.flag('insecure') && { allowSelfSigned: true }),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca ${file} cannot be read: ${errorMessage(error)}`);
  }
}

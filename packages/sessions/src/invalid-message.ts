import type { InvalidMessage } from '@headframe/jsonrpc';

/** What the peer is told. */
export const INVALID_TEXT: Readonly<Record<InvalidMessage['reason'], string>> = {
  'not-json': 'Malformed JSON',
  'not-an-object': 'Not a JSON object',
  'too-deep': 'Nested too deeply',
  'bad-id': 'Invalid id',
  'bad-method': 'Invalid request',
  'batch-too-large': 'Too many requests in one batch',
};

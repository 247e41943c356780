/** The error of an answer, in one shape whatever the peer wrote. */
export interface PeerError {
  /** Undefined when the peer gave none. */
  readonly code: number | undefined;
  /** At most 200 printable ASCII characters. */
  readonly message: string;
}

/** Long enough for every message seen in the field; logs must not be filled by a peer. */
const MAX_MESSAGE = 200;

function printable(text: string): string {
  return text.slice(0, MAX_MESSAGE).replace(/[^\x20-\x7e]/g, '?');
}

/** Reads the `error` of an answer: `[code, message, ...]`, `{code, message}`, a string, or anything else. Never throws. */
export function readPeerError(error: unknown): PeerError {
  let code: unknown;
  let message: unknown;
  if (Array.isArray(error)) [code, message] = error as readonly unknown[];
  else if (typeof error === 'object' && error !== null) {
    ({ code, message } = error as { readonly code?: unknown; readonly message?: unknown });
  } else message = error;
  return {
    code: typeof code === 'number' && Number.isFinite(code) ? code : undefined,
    message: typeof message === 'string' ? printable(message) : 'unknown error',
  };
}

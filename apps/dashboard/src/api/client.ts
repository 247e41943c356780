/** What the server or the network refused. */
export class ApiError extends Error {
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** Stable name of the problem, as `not_found`; empty when the server gave none. */
  readonly code: string;

  constructor(status: number, message: string, code = '') {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

/** Longest wait for an answer. */
const TIMEOUT_MS = 15_000;

/** The part of `fetch` that is needed; tests give another. */
export type Fetch = (
  url: string,
  options: { readonly signal: AbortSignal; readonly headers: Readonly<Record<string, string>> },
) => Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<unknown> }>;

/**
 * Reads one answer of the API as JSON.
 * @throws ApiError as a rejection: status 0 when the server cannot be reached or answers with something else than JSON.
 */
export async function getJson(url: string, fetcher: Fetch): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response: Awaited<ReturnType<Fetch>>;
  try {
    response = await fetcher(url, { signal, headers: { accept: 'application/json' } });
  } catch {
    throw new ApiError(0, 'The pool does not answer.');
  }
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, problemOf(body, response.status), codeOf(body));
  if (body === undefined) throw new ApiError(0, 'The pool sent something that is not JSON.');
  return body;
}

/** The text of a problem document (RFC 9457), or a sentence about the status. */
function problemOf(body: unknown, status: number): string {
  if (status === 429) return 'Too many requests from this address. The page tries again shortly.';
  if (typeof body === 'object' && body !== null) {
    if ('detail' in body && typeof body.detail === 'string') return body.detail;
    if ('title' in body && typeof body.title === 'string') return body.title;
  }
  return status >= 500 ? `The pool has a problem (status ${status}).` : `The pool refused the question (${status}).`;
}

function codeOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : '';
}

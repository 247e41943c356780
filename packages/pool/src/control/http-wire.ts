import { STATUS_CODES } from 'node:http';
import { JsonFramer } from './json-framer.js';
import { CONTROL_LIMITS } from './limits.js';
import { encodeFailure, type RpcErrorName } from './rpc.js';
import type { ControlWire, Credentials, WireFailure, WireInterim, WireReply, WireRequest } from './wire.js';

const { headBytes, requestBytes, depth } = CONTROL_LIMITS;

const STATUS = { ok: 200, unauthorized: 401, failures: 429, busy: 503 } as const;

/** RFC 9110: names are tokens; RFC 9112: a space before the colon must be refused. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*$/;
const REQUEST_LINE = /^([A-Z]{3,16}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/;

interface Head {
  readonly length: number;
  readonly isLast: boolean;
  readonly credentials: Credentials | undefined;
  readonly expects: boolean;
}

/** A request that is refused before its body is read. */
class Refusal {
  readonly status: number;
  readonly message: string;
  readonly error: RpcErrorName;

  constructor(status: number, message: string, error: RpcErrorName = 'request') {
    this.status = status;
    this.message = message;
    this.error = error;
  }
}

/**
 * The part of HTTP/1.1 that a control port needs: POST / with a length. Anything that two readers could understand in
 * two ways is refused and the connection closed: bare newlines, several lengths, a transfer encoding.
 */
export class HttpWire implements ControlWire {
  readonly name = 'http';
  readonly isStateless = true;
  #held: Buffer = Buffer.alloc(0);
  #head: Head | undefined = undefined;
  #failure: WireFailure | undefined = undefined;

  get heldBytes(): number {
    return this.#held.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#failure === undefined) this.#held = Buffer.concat([this.#held, chunk]);
  }

  next(): WireRequest | WireFailure | WireInterim | undefined {
    if (this.#failure !== undefined) return this.#failure;
    let head = this.#head;
    if (head === undefined) {
      const read = this.#readHead();
      if (read instanceof Refusal) return this.#fail(read);
      if (read === undefined) return undefined;
      head = read;
      this.#head = read;
      if (read.expects && this.#held.length < read.length) {
        return { kind: 'interim', answer: 'HTTP/1.1 100 Continue\r\n\r\n' };
      }
    }
    if (this.#held.length < head.length) return undefined;
    const body = this.#held.subarray(0, head.length);
    this.#held = this.#held.subarray(head.length);
    this.#head = undefined;
    const text = wholeJson(body);
    if (text === undefined) return this.#fail(new Refusal(400, 'the body is not one JSON object or list', 'parse'));
    return { kind: 'request', text, credentials: head.credentials, isLast: head.isLast };
  }

  encode({ isLast }: WireRequest, { json, status }: WireReply): string {
    if (json === undefined) return response(204, undefined, isLast);
    return response(STATUS[status], json, isLast || status !== 'ok');
  }

  #fail({ status, message, error }: Refusal): WireFailure {
    this.#held = Buffer.alloc(0);
    this.#failure = { kind: 'failure', answer: response(status, encodeFailure(null, { error, message }), true) };
    return this.#failure;
  }

  /** The head, if it is here whole; what follows it stays. */
  #readHead(): Head | Refusal | undefined {
    const held = this.#held;
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return held.length > headBytes ? new Refusal(431, 'the head is too long') : undefined;
    if (end > headBytes) return new Refusal(431, 'the head is too long');
    const [first = '', ...lines] = held.toString('latin1', 0, end).split('\r\n');
    this.#held = held.subarray(end + 4);
    return readHead(first, lines);
  }
}

function readHead(first: string, lines: readonly string[]): Head | Refusal {
  const request = REQUEST_LINE.exec(first);
  if (request === null) return new Refusal(400, 'not a request of HTTP/1.1');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    if (name === '') return new Refusal(400, 'not a header');
    const key = name.toLowerCase();
    if (headers.has(key)) return new Refusal(400, 'a header stands there twice');
    headers.set(key, value);
  }
  if (headers.has('transfer-encoding')) return new Refusal(501, 'bodies need a length');
  if (request[1] !== 'POST') return new Refusal(405, 'only POST');
  if (request[2] !== '/') return new Refusal(404, 'only /');
  const lengthText = headers.get('content-length');
  if (lengthText === undefined) return new Refusal(411, 'bodies need a length');
  if (!/^\d{1,9}$/.test(lengthText)) return new Refusal(400, 'not a length');
  const length = Number(lengthText);
  if (length > requestBytes) return new Refusal(413, `a request has at most ${requestBytes} bytes`);
  const connection = (headers.get('connection') ?? '').toLowerCase();
  const isLast = connection.includes('close') || (request[3] === '0' && !connection.includes('keep-alive'));
  const expects = headers.get('expect')?.toLowerCase() === '100-continue';
  return { length, isLast, credentials: readCredentials(headers.get('authorization')), expects };
}

/** `Bearer TOKEN`, or `Basic` with the secret as password; the user says nothing. */
function readCredentials(header: string | undefined): Credentials | undefined {
  const [, scheme = '', value = ''] = /^(bearer|basic) +([\x21-\x7e]+)$/i.exec(header ?? '') ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return { secret: value };
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { secret: colon < 0 ? '' : text.slice(colon + 1) };
}

/** The text of a body that holds one object or list and nothing else. */
function wholeJson(body: Uint8Array): string | undefined {
  const framer = new JsonFramer({ maxBytes: requestBytes, maxDepth: depth });
  framer.push(body);
  const found = framer.next();
  if (found === undefined || !('text' in found)) return undefined;
  return framer.next() === undefined && framer.heldBytes === 0 ? found.text : undefined;
}

function response(status: number, json: string | undefined, isLast: boolean): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  if (status === 401) lines.push('WWW-Authenticate: Bearer realm="headframe"');
  if (status === 405) lines.push('Allow: POST');
  if (status === 429) lines.push(`Retry-After: ${CONTROL_LIMITS.failureWindowMs / 1000}`);
  if (json !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${json.length + 1}`);
  lines.push('Cache-Control: no-store', `Connection: ${isLast ? 'close' : 'keep-alive'}`, '');
  return `${lines.join('\r\n')}\r\n${json === undefined ? '' : `${json}\n`}`;
}

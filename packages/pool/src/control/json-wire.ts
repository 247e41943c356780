import { type FramerFailure, JsonFramer } from './json-framer.js';
import { CONTROL_LIMITS } from './limits.js';
import { encodeFailure } from './rpc.js';
import type { ControlWire, WireFailure, WireReply, WireRequest } from './wire.js';

const FAILURES: Readonly<Record<FramerFailure, string>> = {
  'no-json': 'a request begins with { or [',
  'too-long': `a request has at most ${CONTROL_LIMITS.requestBytes} bytes`,
  'too-deep': `a request has at most ${CONTROL_LIMITS.depth} levels`,
};

/** JSON values one after the other, answered by one line each. */
export class JsonWire implements ControlWire {
  readonly name = 'json';
  readonly isStateless = false;
  readonly #framer = new JsonFramer({ maxBytes: CONTROL_LIMITS.requestBytes, maxDepth: CONTROL_LIMITS.depth });

  get heldBytes(): number {
    return this.#framer.heldBytes;
  }

  push(chunk: Uint8Array): void {
    this.#framer.push(chunk);
  }

  next(): WireRequest | WireFailure | undefined {
    const found = this.#framer.next();
    if (found === undefined) return undefined;
    if ('text' in found) return { kind: 'request', text: found.text, credentials: undefined, isLast: false };
    return {
      kind: 'failure',
      answer: `${encodeFailure(null, { error: 'parse', message: FAILURES[found.failure] })}\n`,
    };
  }

  encode(_request: WireRequest, { json }: WireReply): string {
    return json === undefined ? '' : `${json}\n`;
  }
}

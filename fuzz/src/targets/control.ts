import { type ControlWire, HttpWire, JsonWire, readRequest } from '@headframe/pool';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

/** Everything a wire finds when the bytes come in pieces of so many. */
function drain(wire: ControlWire, bytes: Uint8Array, step: number): { found: string[]; texts: string[] } {
  const found: string[] = [];
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    wire.push(bytes.subarray(at, at + step));
    for (;;) {
      const next = wire.next();
      if (next === undefined) break;
      // A client that waits for the word may get it or not: its body may be here already.
      if (next.kind === 'interim') continue;
      if (next.kind === 'failure') {
        check(/^[\x20-\x7e\r\n]*$/.test(next.answer), 'an answer is ASCII');
        found.push(`failure ${next.answer}`);
        return { found, texts };
      }
      found.push(`request ${next.text} ${next.isLast} ${next.credentials?.secret ?? '-'}`);
      texts.push(next.text);
      const answer = wire.encode(next, { json: '{"jsonrpc":"2.0","id":1,"result":null}', status: 'ok' });
      check(/^[\x20-\x7e\r\n]*$/.test(answer), 'an answer is ASCII');
    }
  }
  return { found, texts };
}

export const controlTarget: FuzzTarget = {
  name: 'control',
  promise: 'the wires of the control port never throw and find the same however the bytes are cut',
  maxBytes: 3000,
  dictionary: [
    'POST / HTTP/1.1\r\n',
    'Content-Length: 2\r\n\r\n{}',
    'Content-Length: ',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Authorization: Bearer ',
    'Authorization: Basic YTpi\r\n',
    'Connection: close\r\n',
    '\r\n\r\n',
    '"jsonrpc":"2.0"',
    '"method":"mining.block"',
    '"params":[]',
    '"id":1',
    '[{',
    '\\"',
    '__proto__',
  ],
  run(bytes) {
    const isHttp = bytes[0] === 0x50;
    const make = (): ControlWire => (isHttp ? new HttpWire() : new JsonWire());
    const whole = drain(make(), bytes, Math.max(1, bytes.length));
    for (const step of [1, 7]) {
      const cut = drain(make(), bytes, step);
      check(JSON.stringify(cut.found) === JSON.stringify(whole.found), `pieces of ${step}: ${cut.found.join()}`);
    }
    const kinds = whole.texts.slice(0, 3).map((text) => {
      const read = readRequest(text, 50);
      if (read.kind === 'batch') return `batch ${Math.min(read.items.length, 3)}`;
      return 'call' in read.item ? 'call' : read.item.failure.error;
    });
    const last = whole.found.at(-1)?.slice(0, 40) ?? 'nothing';
    const end = last.startsWith('failure') ? last.replace(/[^ -~]/g, '').slice(0, 24) : 'open';
    return `${isHttp ? 'http' : 'json'} ${kinds.join()} ${end}`;
  },
};

import { encodeResult, parseMessage } from '@headframe/jsonrpc';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

/** Shape of a value, two levels deep, to tell outcomes apart. */
function shape(value: unknown, depth = 0): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    return depth > 1
      ? '[]'
      : `[${value
          .slice(0, 6)
          .map((item) => shape(item, depth + 1))
          .join()}]`;
  }
  return typeof value;
}

export const messageTarget: FuzzTarget = {
  name: 'message',
  promise: 'parseMessage never throws, and the id it gives can be echoed on one line of ASCII',
  maxBytes: 4000,
  dictionary: [
    '"id":',
    '"method":',
    '"params":',
    '"result":',
    '"error":',
    '"jsonrpc":"2.0"',
    '"mining.submit"',
    '[20,"x",null]',
  ],
  run(bytes) {
    const message = parseMessage(bytes);
    if (message.kind === 'notification') return `notification ${shape(message.params)}`;
    const { idText } = message;
    if (idText !== undefined) {
      const params = message.kind === 'request' ? message.params : null;
      const line = encodeResult(idText, params);
      check(/^[\x20-\x7e]*\n$/.test(line), 'the echo is one line of ASCII');
      const echoed: unknown = JSON.parse(line);
      check(typeof echoed === 'object' && echoed !== null && 'id' in echoed, 'the echo has an id');
      if (message.kind !== 'invalid' && typeof message.id !== 'number') {
        check(echoed.id === message.id, 'the id comes back as it was');
      }
      check(
        echoed.id === null || typeof echoed.id === 'number' || typeof echoed.id === 'string',
        'an id of legal type',
      );
    }
    if (message.kind === 'invalid') return `invalid ${message.reason} ${idText === undefined ? 'without' : 'with'} id`;
    if (message.kind === 'response') return `response ${shape(message.result)} ${shape(message.error)}`;
    return `request ${typeof message.id} ${shape(message.params)}`;
  },
};

import {
  decodeNotification,
  electrumErrorFromWire,
  encodeElectrumError,
  encodeElectrumResult,
  isElectrumMethod,
  methodForm,
  negotiateVersion,
  parseElectrumMessage,
  parseElectrumServer,
  toElectrumError,
} from '@headframe/electrum';
import type { RpcMessage } from '@headframe/jsonrpc';
import { check, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

const VERSIONS = ['1.0', '1.2', '1.4', '1.4.2', '1.6'];
const OUR_RANGE = { min: '1.0', max: '1.6' };

/** Everything a server or client does with a message before a handler sees it. */
function digest(message: RpcMessage): string {
  if (message.kind === 'invalid') return message.reason;
  if (message.kind === 'response') {
    const error = electrumErrorFromWire(message.error);
    check(
      /^[\x20-\x7e\n]*$/.test(error.message) && error.message.length <= 1000,
      'a printable error of bounded length',
    );
    return `response ${error.rpcCode === undefined ? 'text' : 'code'}`;
  }
  const { method, params } = message;
  if (message.kind === 'notification') {
    const notification = tolerate(['invalid_data'], () => decodeNotification(method, params));
    if (notification === undefined) return 'notification of nothing';
    const call = notification.toCall();
    const again = decodeNotification(call.method, call.params);
    check(JSON.stringify(again?.toCall()) === JSON.stringify(call), 'a notification survives encoding');
    return `notification ${call.method}`;
  }
  if (method === 'server.version') {
    const wanted: unknown = Array.isArray(params) ? params[1] : params;
    const result = negotiateVersion(wanted, OUR_RANGE);
    if (result.ok) check(methodForm('server.banner', result.version) !== undefined, 'a version that has methods');
  }
  const answers = VERSIONS.map((version) => {
    const form = methodForm(method, version);
    if (form === undefined) return '-';
    const parsed = form.params.safeParse(params);
    if (!parsed.success) return 'n';
    check(Array.isArray(parsed.data) && parsed.data.length === form.args.length, 'one value per argument');
    return 'y';
  });
  for (const dialect of ['modern', 'old'] as const) {
    for (const text of [
      encodeElectrumResult(message.idText, params, dialect),
      encodeElectrumError(message.idText, toElectrumError(new Error(method)), dialect),
    ]) {
      check(/^[\x20-\x7e]*$/.test(text), 'an answer is ASCII');
      check(parseElectrumMessage(text).kind === 'response', 'an answer is a response');
    }
  }
  return `${isElectrumMethod(method) ? method : 'unknown method'} ${answers.join('')}`;
}

export const electrumMessageTarget: FuzzTarget = {
  name: 'electrum-message',
  promise: 'messages, batches, notifications, versions and params are read without a throw, and answers can be written',
  maxBytes: 4000,
  dictionary: [
    '"jsonrpc":"2.0"',
    '"id":',
    '"method":',
    '"params":',
    '"error":',
    '"server.version"',
    '["1.4","1.6"]',
    '"blockchain.headers.subscribe"',
    '"blockchain.scripthash.subscribe"',
    '"blockchain.address.subscribe"',
    '"blockchain.numblocks.subscribe"',
    '"blockchain.block.header"',
    '"cp_height"',
    '"a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347"',
    `{'code': -5, 'message': u'x'}`,
  ],
  run(bytes) {
    const packet = parseElectrumMessage(bytes, 20);
    const text = Buffer.from(bytes).toString('utf8');
    check(JSON.stringify(parseElectrumMessage(text, 20)) === JSON.stringify(packet), 'text reads as its bytes do');
    tolerate(['invalid_argument'], () => parseElectrumServer(text.slice(0, 300)));
    if (packet.kind !== 'batch') return digest(packet);
    check(packet.messages.length > 0 && packet.messages.length <= 20, 'a batch within its bound');
    // White space around a message is let pass, as JavaScript knows it.
    check(Array.isArray(JSON.parse(text.trim())), 'a batch is an array for everybody');
    return `batch ${packet.messages.map(digest).slice(0, 2).join()}`;
  },
};

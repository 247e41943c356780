import { PoolError, reject } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AddressNotification,
  decodeNotification,
  ELECTRUM_ERRORS,
  ElectrumError,
  electrumError,
  electrumErrorFromWire,
  encodeElectrumBatch,
  encodeElectrumError,
  encodeElectrumNotification,
  encodeElectrumRequest,
  encodeElectrumResult,
  HeadersNotification,
  headerObjectOf,
  isElectrumError,
  NumBlocksNotification,
  parseElectrumMessage,
  parseElectrumServer,
  rejectToElectrumError,
  ScripthashNotification,
  toElectrumError,
} from '../src/index.js';
import { GENESIS_HASH, GENESIS_HEADER } from './support.js';

const HASH = 'a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347';

describe('messages', () => {
  it('reads requests as wallets write them: without params, with ids of any kind, padded', () => {
    expect(parseElectrumMessage('{"jsonrpc":"2.0","method":"server.ping","id":0}')).toMatchObject({
      kind: 'request',
      idText: '0',
      params: [],
    });
    expect(parseElectrumMessage('{"method":"server.ping","id":"x","params":[]       }')).toMatchObject({
      kind: 'request',
      idText: '"x"',
    });
    expect(parseElectrumMessage('{"method":"a","id":18446744073709551617,"params":{}}')).toMatchObject({
      idText: '18446744073709551617',
    });
    const bytes = new TextEncoder().encode('[{"method":"server.ping","id":1}]');
    expect(parseElectrumMessage(bytes)).toMatchObject({ kind: 'batch' });
  });

  it('reads notifications without id and with the id null', () => {
    for (const id of ['', '"id":null,']) {
      expect(parseElectrumMessage(`{${id}"method":"blockchain.numblocks.subscribe","params":[5]}`)).toMatchObject({
        kind: 'notification',
        params: [5],
      });
    }
  });

  it('writes both dialects without a newline', () => {
    expect(encodeElectrumResult('7', null)).toBe('{"jsonrpc":"2.0","id":7,"result":null}');
    expect(encodeElectrumResult('7', null, 'old')).toBe('{"id":7,"result":null}');
    expect(encodeElectrumError('7', { code: 1, message: 'x' })).toBe(
      '{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}',
    );
    expect(encodeElectrumError('7', { code: 1, message: 'x' }, 'old')).toBe('{"id":7,"error":"x"}');
    expect(encodeElectrumNotification('m', [1])).toBe('{"jsonrpc":"2.0","method":"m","params":[1]}');
    expect(encodeElectrumNotification('m', [1], 'old')).toBe('{"id":null,"method":"m","params":[1]}');
    expect(encodeElectrumBatch(['{}', '{}'])).toBe('[{},{}]');
    expect(() => encodeElectrumRequest(0.5, 'm', [])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('reads back what it wrote (property)', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.array(fc.jsonValue()), fc.jsonValue(), (id, method, params, result) => {
        expect(parseElectrumMessage(encodeElectrumRequest(id, method, params))).toMatchObject({
          kind: 'request',
          id,
          method,
        });
        const answer = parseElectrumMessage(encodeElectrumResult(String(id), result));
        expect(answer).toMatchObject({ kind: 'response', id });
        expect(encodeElectrumRequest(id, method, params)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });
});

describe('notifications as values', () => {
  it('HeadersNotification, modern', () => {
    const notification = decodeNotification('blockchain.headers.subscribe', [{ height: 0, hex: GENESIS_HEADER }]);
    expect(notification).toBeInstanceOf(HeadersNotification);
    expect(notification).toMatchObject({
      height: 0,
      hex: GENESIS_HEADER,
      version: 1,
      timestamp: 1296688602,
      bits: 0x207fffff,
      nonce: 2,
      utxoRoot: undefined,
    });
    expect(notification?.toCall()).toEqual({
      method: 'blockchain.headers.subscribe',
      params: [{ height: 0, hex: GENESIS_HEADER }],
    });
  });

  it('HeadersNotification, old', () => {
    const object = {
      block_height: 9,
      version: 2,
      prev_block_hash: HASH,
      merkle_root: HASH,
      timestamp: 5,
      bits: 6,
      nonce: 7,
      utxo_root: HASH,
    };
    const notification = decodeNotification('blockchain.headers.subscribe', [object]);
    expect(notification).toMatchObject({
      height: 9,
      version: 2,
      prevHash: HASH,
      merkleRoot: HASH,
      timestamp: 5,
      bits: 6,
      nonce: 7,
      utxoRoot: HASH,
    });
    expect(notification?.toCall().params).toEqual([object]);
    expect(HeadersNotification.ofObject(headerObjectOf(GENESIS_HEADER, 0)).hash).toBe(GENESIS_HASH);
    expect(HeadersNotification.ofHex(0, GENESIS_HEADER).hash).toBe(GENESIS_HASH);
    const first = HeadersNotification.ofObject({ ...object, prev_block_hash: null });
    expect(first.prevHash).toBe('0'.repeat(64));
  });

  it('AddressNotification', () => {
    const notification = decodeNotification('blockchain.address.subscribe', ['1A', HASH]);
    expect(notification).toEqual(new AddressNotification('1A', HASH));
    expect(notification?.toCall()).toEqual({ method: 'blockchain.address.subscribe', params: ['1A', HASH] });
  });

  it('NumBlocksNotification', () => {
    const notification = decodeNotification('blockchain.numblocks.subscribe', [840_000]);
    expect(notification).toEqual(new NumBlocksNotification(840_000));
    expect(notification?.toCall()).toEqual({ method: 'blockchain.numblocks.subscribe', params: [840_000] });
  });

  it('ScripthashNotification', () => {
    const notification = decodeNotification('blockchain.scripthash.subscribe', [HASH, null]);
    expect(notification).toEqual(new ScripthashNotification(HASH, null));
    expect(notification?.toCall()).toEqual({ method: 'blockchain.scripthash.subscribe', params: [HASH, null] });
  });

  it.each([
    ['blockchain.headers.subscribe', [{ height: 1, hex: 'ff' }]],
    ['blockchain.headers.subscribe', []],
    ['blockchain.headers.subscribe', {}],
    ['blockchain.address.subscribe', ['1A']],
    ['blockchain.numblocks.subscribe', [-1]],
    ['blockchain.scripthash.subscribe', [HASH, 5]],
    ['blockchain.scripthash.subscribe', null],
  ])('%s with %j makes no sense', (method, params) => {
    expect(() => decodeNotification(method, params)).toThrow(expect.objectContaining({ code: 'invalid_data' }));
  });

  it('knows no others', () => {
    expect(decodeNotification('mining.notify', [])).toBeUndefined();
    expect(decodeNotification('toString', [])).toBeUndefined();
  });
});

describe('errors', () => {
  it.each([
    [{ code: 1, message: 'no' }, 1, 'no'],
    [[-32601, 'unknown'], -32601, 'unknown'],
    ['plain text', undefined, 'plain text'],
    ["{'code': -5, 'message': u'No such tx'}", -5, 'No such tx'],
    [`{u'message': u"it's dust", u'code': -26}`, -26, "it's dust"],
    ['{not a dict', undefined, '{not a dict'],
    [true, undefined, 'unknown error'],
    [{ code: 'x', message: 7 }, undefined, 'unknown error'],
    [{ code: 1, message: 'a\u0007b\nc\u20ac' }, 1, 'a?b\nc?'],
    [{ code: 1, message: 'x'.repeat(5000) }, 1, 'x'.repeat(1000)],
  ])('%j', (wire, code, message) => {
    expect(electrumErrorFromWire(wire)).toMatchObject({ code: 'request_failed', rpcCode: code, message });
  });

  it('goes to the wire and back (property)', () => {
    const printable = fc.stringMatching(/^[ -~]{1,40}$/);
    fc.assert(
      fc.property(fc.integer({ min: -40_000, max: 20_000 }), printable, (code, message) => {
        expect(electrumErrorFromWire(toElectrumError(new ElectrumError(code, message)))).toMatchObject({
          rpcCode: code,
          message,
        });
      }),
    );
  });

  it('has a code per kind, each once', () => {
    const codes = Object.values(ELECTRUM_ERRORS).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const kind of Object.keys(ELECTRUM_ERRORS) as (keyof typeof ELECTRUM_ERRORS)[]) {
      expect(isElectrumError(electrumError(kind), kind)).toBe(true);
      expect(isElectrumError(electrumError(kind), kind === 'busy' ? 'internal' : 'busy')).toBe(false);
    }
    expect(isElectrumError(new PoolError('request_failed', 'x'))).toBe(false);
  });

  it.each([
    [reject('unknown-method'), -32601],
    [reject('invalid-params', 'x'), -32602],
    [reject('rate-limited'), -101],
    [reject('busy'), -102],
    [reject('other', 'no'), 1],
    [reject('internal'), -32603],
    [new PoolError('invalid_address', 'not an address'), 1],
    [new PoolError('rpc_error', 'from the node'), 2],
    [new PoolError('queue_full', 'x'), -102],
    [new PoolError('storage_failed', 'secret path'), -32603],
    [new TypeError('secret'), -32603],
    ['thrown text', -32603],
  ])('%s becomes %i', (thrown, code) => {
    const wire = toElectrumError(thrown);
    expect(wire.code).toBe(code);
    expect(wire.message).not.toContain('secret');
  });

  it('gives the reason of a rejection, or the standard text', () => {
    expect(rejectToElectrumError('invalid-params', 'height: too high')).toEqual({
      code: -32602,
      message: 'height: too high',
    });
    expect(rejectToElectrumError('busy').message).toContain('busy');
  });
});

describe('addresses of servers', () => {
  it.each([
    ['ssl://e.example:50002', 'e.example', 50_002, true],
    ['tls://e.example', 'e.example', 50_002, true],
    ['tcp://e.example', 'e.example', 50_001, false],
    ['e.example:50001:t', 'e.example', 50_001, false],
    ['e.example:50002:s', 'e.example', 50_002, true],
    ['e.example:1234', 'e.example', 1234, true],
    ['e.example:50001', 'e.example', 50_001, false],
    ['e.example', 'e.example', 50_002, true],
    ['[::1]:50001:t', '::1', 50_001, false],
    ['tcp://127.0.0.1:7/', '127.0.0.1', 7, false],
  ])('%s', (text, host, port, secure) => {
    expect(parseElectrumServer(text)).toEqual({ host, port, secure });
  });

  it.each([
    '',
    'http://e.example',
    'e.example:0',
    'e.example:70000',
    'tcp://e:1:s',
    'a b',
    'e.example:1:x',
    'user@e.example:1',
  ])('%j is none', (text) => {
    expect(() => parseElectrumServer(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  decodeNotification,
  encodeElectrumNotification,
  encodeElectrumRequest,
  historyStatus,
  methodForm,
  parseBlockHeader,
  parseElectrumMessage,
  parseHeaderChain,
  splitHeaders,
  verifyMerkleProof,
} from '../src/index.js';

// Recorded from Electrum 4.3.4 of Debian 12 against a regtest server.
const lines = readFileSync(new URL('./vectors/electrum-4.3.4-transcript.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const entrySchema = z.object({ from: z.enum(['C', 'S']), msg: z.looseObject({ jsonrpc: z.literal('2.0') }) });
const entries = lines.map((line) => entrySchema.parse(JSON.parse(line)));

interface Exchange {
  readonly method: string;
  readonly params: unknown;
  result: unknown;
}

function exchanges(): { readonly calls: Exchange[]; readonly notifications: { method: string; params: unknown }[] } {
  const open = new Map<string, Exchange>();
  const calls: Exchange[] = [];
  const notifications: { method: string; params: unknown }[] = [];
  for (const { from, msg } of entries) {
    const message = parseElectrumMessage(JSON.stringify(msg));
    if (from === 'C' && message.kind === 'request') {
      const call: Exchange = { method: message.method, params: message.params, result: undefined };
      open.set(message.idText, call);
      calls.push(call);
    } else if (message.kind === 'notification') notifications.push({ method: message.method, params: message.params });
    else if (message.kind === 'response') {
      const call = open.get(message.idText);
      if (call === undefined) throw new Error(`answer to nothing: ${message.idText}`);
      call.result = message.result;
    } else throw new Error(`${message.kind} in the transcript`);
  }
  return { calls, notifications };
}

const { calls, notifications } = exchanges();

describe('the session of a real wallet', () => {
  it('is all requests, answers and notifications', () => {
    expect(calls.length).toBeGreaterThan(50);
    expect(notifications.length).toBeGreaterThan(5);
    expect(calls.every(({ result }) => result !== undefined)).toBe(true);
  });

  it('passes the schemas of 1.4, unchanged', () => {
    for (const { method, params, result } of calls) {
      const form = methodForm(method, '1.4');
      expect(form, method).toBeDefined();
      expect(form?.params.safeParse(params).success, `${method} params`).toBe(true);
      expect(form?.result.parse(result), `${method} result`).toEqual(result);
    }
  });

  it('has notifications that decode and encode back', () => {
    for (const { method, params } of notifications) {
      const notification = decodeNotification(method, params);
      const call = notification?.toCall();
      expect(call).toEqual({ method, params });
      if (call === undefined) continue;
      expect(JSON.parse(encodeElectrumNotification(call.method, call.params))).toEqual({
        jsonrpc: '2.0',
        method,
        params,
      });
    }
  });

  it('has requests that we write in the same way', () => {
    for (const { from, msg } of entries) {
      if (from !== 'C') continue;
      const { method, params = [], id } = msg as { method?: unknown; params?: unknown; id?: unknown };
      expect(JSON.parse(encodeElectrumRequest(Number(id), String(method), params))).toEqual(msg);
    }
  });

  it('has histories whose status is the one that was notified', () => {
    const notified = new Set(
      notifications
        .filter(({ method }) => method === 'blockchain.scripthash.subscribe')
        .map(({ params }) => z.array(z.unknown()).parse(params)[1]),
    );
    let checked = 0;
    for (const { method, result } of calls) {
      if (method !== 'blockchain.scripthash.get_history') continue;
      const history = z.array(z.object({ tx_hash: z.string(), height: z.number() })).parse(result);
      expect(notified).toContain(historyStatus(history));
      checked++;
    }
    expect(checked).toBe(7);
  });

  it('has headers that link, and transactions that are in them', () => {
    const answer = calls.find(({ method }) => method === 'blockchain.block.headers')?.result;
    const headers = parseHeaderChain(splitHeaders(z.object({ count: z.number(), hex: z.string() }).parse(answer)));
    expect(headers).toHaveLength(442);
    expect(headers[0]?.hash).toBe('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206');
    const tips = notifications
      .filter(({ method }) => method === 'blockchain.headers.subscribe')
      .map(({ params }) => z.tuple([z.object({ height: z.number(), hex: z.string() })]).parse(params)[0]);
    const rootAt = (height: number): string | undefined => {
      const tip = tips.find((each) => each.height === height);
      return tip === undefined ? headers[height]?.merkleRoot : parseBlockHeader(tip.hex).merkleRoot;
    };
    let proofs = 0;
    for (const { method, params, result } of calls) {
      if (method !== 'blockchain.transaction.get_merkle') continue;
      const [leaf] = z.tuple([z.string(), z.number()]).parse(params);
      const proof = z.object({ block_height: z.number(), merkle: z.array(z.string()), pos: z.number() }).parse(result);
      const root = rootAt(proof.block_height);
      expect(verifyMerkleProof({ leaf, branch: proof.merkle, index: proof.pos, root: root ?? '' })).toBe(true);
      proofs++;
    }
    expect(proofs).toBe(2);
  });
});

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockItem } from '@headframe/http';
import * as answers from './answers.js';
import { amountOf, createWorld, type World } from './world.js';

/** Streams open at a time; a page needs one. */
const MAX_STREAMS = 50;

/** A stand-in for the pool's API with made-up data, for work on the page and for its tests. */
export class FixtureApi {
  readonly world: World;
  /** What the pool is like. */
  scene: answers.Scene = 'busy';
  /** True: every question is answered with status 503. */
  isBroken = false;
  readonly #now: () => number;
  readonly #streams = new Set<ServerResponse>();

  constructor(now: () => number) {
    this.#now = now;
    this.world = createWorld(now());
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Sends an event to every open stream. */
  emit(name: string, data: unknown): void {
    for (const stream of this.#streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** The pool finds a block: it heads the list, and streams hear of it. */
  findBlock(): BlockItem {
    const last = this.world.blocks[0];
    const height = (last?.height ?? 951_000) + 20;
    const hash = `0000000000000000000${'5eed'.repeat(10)}${height.toString(16).padStart(5, '0')}`;
    const account = this.world.accounts[1]?.account ?? '';
    const block: BlockItem = {
      hash,
      height,
      status: 'confirmed',
      account,
      worker: `${account}.bitaxe`,
      reward: amountOf(317_204_118n),
      confirmations: 1,
      networkDifficulty: this.world.networkDifficulty,
      effort: 0.62,
      foundMs: this.#now(),
      link: `https://explorer.example/block/${hash}`,
    };
    this.world.blocks.unshift(block);
    this.emit('block', block);
    return block;
  }

  /** Cuts every stream, as a restart of the pool would. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  /** @returns false when the path is none of the API's */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', 'http://fixture');
    if (!url.pathname.startsWith('/api/v1/')) return false;
    if (this.isBroken) {
      send(response, 503, { type: 'about:blank', title: 'Service Unavailable', status: 503, code: 'storage_failed' });
      return true;
    }
    if (url.pathname === '/api/v1/events') {
      this.#stream(response);
      return true;
    }
    const path = url.pathname.slice('/api/v1/'.length);
    if (this.scene === 'bare' && /^(blocks|series|accounts|payments)/.test(path)) {
      const part = path.startsWith('payments') ? 'payments' : 'storage';
      const detail = `this pool has no ${part}: set a key in its configuration`;
      send(response, 404, { type: 'about:blank', title: 'Not Found', status: 404, code: `${part}_off`, detail });
      return true;
    }
    const answer = this.answer(path, url.searchParams);
    if (answer === undefined) {
      send(response, 404, { type: 'about:blank', title: 'Not found', status: 404, code: 'not_found' });
    } else send(response, 200, answer);
    return true;
  }

  /** Undefined for what does not exist. */
  answer(path: string, query: URLSearchParams): unknown {
    const { world, scene } = this;
    const now = this.#now();
    const limit = Number(query.get('limit') ?? 100);
    const after = query.get('after');
    const isEmpty = scene !== 'busy';
    switch (path) {
      case 'pool':
        return answers.poolInfo(world, scene, now);
      case 'coin':
        return answers.COIN;
      case 'nodes':
        return answers.NODES;
      case 'connect':
        return answers.connectInfo();
      case 'rejects':
        return answers.rejectsInfo(world, scene);
      case 'template':
        return answers.templateInfo(world, now);
      case 'blocks':
        return answers.pageOf(isEmpty ? [] : world.blocks, limit, after);
      case 'payments':
        return answers.pageOf(isEmpty ? [] : world.payments, limit, after);
      case 'miners':
        return answers.pageOf(isEmpty ? [] : world.miners, limit, after);
      case 'accounts/top':
        return { items: isEmpty ? [] : world.accounts.slice(0, limit) };
      case 'series':
        return isEmpty
          ? { ...answers.seriesOf(world, 1, query, now), points: [] }
          : answers.seriesOf(world, 1, query, now);
      default:
        return isEmpty ? undefined : this.#item(path.split('/').map(decodeURIComponent), query, limit, after, now);
    }
  }

  #item(parts: readonly string[], query: URLSearchParams, limit: number, after: string | null, now: number): unknown {
    const { world } = this;
    const [first, name = '', what, worker = '', last] = parts;
    if (first === 'blocks') return answers.blockDetails(world, name);
    const index = world.accounts.findIndex(({ account }) => account === name);
    if (first !== 'accounts' || index === -1) return undefined;
    const part = 0.34 * 0.68 ** index;
    if (what === undefined) return answers.accountInfo(world, name, after);
    if (what === 'series') return answers.seriesOf(world, part, query, now);
    if (what === 'payments') return answers.accountPayments(world, name, limit, after);
    if (what === 'statement') return answers.statementOf(world, limit, after);
    if (what !== 'workers') return undefined;
    if (last === 'series') return answers.seriesOf(world, part / 6, query, now);
    return answers.workerInfo(world, name, worker);
  }

  #stream(response: ServerResponse): void {
    if (this.#streams.size >= MAX_STREAMS) {
      send(response, 503, { type: 'about:blank', title: 'Too many streams', status: 503, code: 'busy' });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': welcome\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const type = status === 200 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

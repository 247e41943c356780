// A simulated miner that keeps a book of its own: what it sent, and what it was told of each share. It shares no code
// with the product. It finds shares with few hashes (the pool's difficulty is set that low), connects again when it is
// thrown out, resumes its session, and sends again what was not answered.
import { createHash, hash } from 'node:crypto';
import { createConnection } from 'node:net';

const DIFF1 = 0xffffn << 208n;
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 400;
const MAX_NONCES = 2_000_000;
/** Shares that may wait for an answer; over it the miner waits, as firmware does. */
const MAX_PENDING = 200;
/** Unanswered shares that are sent again after a resume. */
const MAX_AGAIN = 200;

/** @param {Uint8Array} bytes */
function sha256d(bytes) {
  return hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer');
}

/** @param {number} difficulty @returns {Buffer} big-endian */
function targetOf(difficulty) {
  // As the decimal text says; 18 digits after the point are more than any difficulty here has.
  const [whole = '0', part = ''] = difficulty.toFixed(18).split('.');
  const scaled = BigInt(whole + part);
  const target = (DIFF1 * 10n ** 18n) / scaled;
  const most = (1n << 256n) - 1n;
  return Buffer.from((target > most ? most : target).toString(16).padStart(64, '0'), 'hex');
}

/** Difficulty that a hash reached, as ten digits: with the worker's name it identifies a share. @param {Buffer} display */
function achieved(display) {
  return (Number(DIFF1) / Number(BigInt(`0x${display.toString('hex')}`))).toPrecision(10);
}

/**
 * @typedef {{ id: string, params: any[], difficulty: number, extranonce1: string }} Job
 * @typedef {{ key: string, params: string[], kind: 'good' | 'duplicate' | 'low' | 'stale' | 'again', block: string | undefined }} Share
 */

export class BookkeepingMiner {
  /** Shares that were answered true. @type {string[]} */
  accepted = [];
  /** Shares whose answer never came (or came as "duplicate" to a second try): the pool may have them. @type {string[]} */
  unanswered = [];
  /** Errors by code. @type {Record<string, number>} */
  rejected = {};
  /** Answers to faulty shares that were right or wrong about the fault. */
  faults = { right: 0, wrong: 0 };
  /** Display hashes of good shares that are blocks. @type {string[]} */
  blocks = [];
  counts = { sent: 0, connections: 0, resumed: 0, again: 0 };
  /** Longest wait for an answer. */
  slowestMs = 0;
  isMining = true;
  #socket = undefined;
  #closed = false;
  #text = '';
  #nextId = 10;
  #extranonce1 = '';
  #extranonce2Size = 0;
  #sessionId = '';
  #difficulty = 0;
  #isReady = false;
  /** @type {Job[]} */
  #jobs = [];
  /** @type {Map<number, Share & { at: number }>} */
  #pending = new Map();
  /** @type {Share[]} */
  #lost = [];
  /** @type {Share | undefined} */
  #last = undefined;
  #extranonce2 = 0;

  /** @param {{ port: number, worker: string, faults?: boolean }} options */
  constructor({ port, worker, faults = true }) {
    this.port = port;
    this.worker = worker;
    this.withFaults = faults;
    // Another range for each start, so that a miner that begins anew does not repeat itself.
    this.#extranonce2 = Math.floor(Math.random() * 0x3fffffff);
    this.#connect();
  }

  get pending() {
    return this.#pending.size;
  }
  get isReady() {
    return this.#isReady && this.#jobs.length > 0;
  }

  #connect() {
    if (this.#closed) return;
    const socket = createConnection(this.port, '127.0.0.1');
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('connect', () => {
      this.counts.connections++;
      const subscribe = this.#sessionId === '' ? ['soak/1'] : ['soak/1', this.#sessionId];
      this.#send({ id: 1, method: 'mining.subscribe', params: subscribe });
    });
    socket.on('data', (text) => this.#data(text));
    socket.on('close', () => this.#lostConnection());
  }

  #lostConnection() {
    this.#text = '';
    this.#isReady = false;
    this.#jobs = [];
    for (const share of this.#pending.values()) {
      if (share.kind === 'good' || share.kind === 'again') this.#lost.push(share);
    }
    this.#pending.clear();
    setTimeout(() => this.#connect(), RECONNECT_MIN_MS + Math.random() * RECONNECT_SPREAD_MS);
  }

  /** Breaks the connection off, as a rig that loses its power. */
  drop() {
    this.#socket?.destroy();
  }

  /** Ends for good. What has no answer by now never gets one. */
  close() {
    this.#closed = true;
    this.#socket?.destroy();
    for (const { key, kind } of [...this.#pending.values(), ...this.#lost]) {
      if (kind === 'good' || kind === 'again') this.unanswered.push(key);
    }
    this.#pending.clear();
    this.#lost = [];
  }

  #send(message) {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  #data(text) {
    this.#text += text;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      this.#message(JSON.parse(line));
    }
  }

  #message({ id, method, params, result, error }) {
    if (method === 'mining.set_difficulty') this.#difficulty = params[0];
    else if (method === 'mining.set_extranonce') [this.#extranonce1, this.#extranonce2Size] = params;
    else if (method === 'mining.notify') this.#job(params);
    else if (method !== undefined) return;
    else if (id === 1) this.#subscribed(result, error);
    else if (id === 2) this.#authorized(result);
    else this.#answered(id, result, error);
  }

  #subscribed(result, error) {
    if (!Array.isArray(result)) throw new Error(`subscribe: ${JSON.stringify(error)}`);
    const [[[, sessionId]], extranonce1, size] = result;
    const isResumed = this.#sessionId !== '' && extranonce1 === this.#extranonce1;
    if (isResumed) this.counts.resumed++;
    else for (const { key } of this.#lost.splice(0)) this.unanswered.push(key);
    this.#sessionId = sessionId;
    this.#extranonce1 = extranonce1;
    this.#extranonce2Size = size;
    this.#send({ id: 2, method: 'mining.authorize', params: [this.worker, 'x'] });
  }

  #authorized(result) {
    if (result !== true) {
      this.#socket?.destroy();
      return;
    }
    this.#isReady = true;
    for (const share of this.#lost.splice(0, MAX_AGAIN)) {
      this.counts.again++;
      this.#submit({ ...share, kind: 'again' });
    }
    for (const { key } of this.#lost.splice(0)) this.unanswered.push(key);
  }

  #job(params) {
    if (params[8] === true) this.#jobs = this.#jobs.slice(-1); // one old job, to send a stale share now and then
    this.#jobs.push({ id: params[0], params, difficulty: this.#difficulty, extranonce1: this.#extranonce1 });
    if (this.#jobs.length > 3) this.#jobs.shift();
  }

  #answered(id, result, error) {
    const share = this.#pending.get(id);
    if (share === undefined) return;
    this.#pending.delete(id);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - share.at);
    if (result === true) {
      if (share.kind === 'good' || share.kind === 'again' || share.kind === 'stale') this.accepted.push(share.key);
      if (share.kind === 'duplicate' || share.kind === 'low') this.faults.wrong++;
      return;
    }
    const code = String(error?.[0] ?? 'none');
    this.rejected[code] = (this.rejected[code] ?? 0) + 1;
    if (share.kind === 'duplicate' || share.kind === 'low') this.faults.right++;
    // The first try was counted, or it is about to be: only the ledger can tell.
    if (share.kind === 'again') this.unanswered.push(share.key);
  }

  /** Finds and sends one share; sometimes a faulty one. @returns false when there is nothing to work on */
  mine() {
    const job = this.#jobs.at(-1);
    if (!this.isMining || !this.#isReady || job === undefined || this.#pending.size >= MAX_PENDING) return false;
    const dice = this.withFaults ? Math.random() : 1;
    if (dice < 0.005 && this.#last !== undefined) this.#submit({ ...this.#last, kind: 'duplicate' });
    else if (dice < 0.01) this.#submit(this.#find(job, 'low'));
    else if (dice < 0.02 && this.#jobs.length > 1) this.#submit(this.#find(this.#jobs[0] ?? job, 'stale'));
    else {
      const share = this.#find(job, 'good');
      this.#last = share;
      this.#submit(share);
    }
    return true;
  }

  /** @param {Share} share */
  #submit(share) {
    const id = this.#nextId++;
    this.#pending.set(id, { ...share, at: performance.now() });
    this.counts.sent++;
    this.#send({ id, method: 'mining.submit', params: share.params });
  }

  /** @param {Job} job @param {'good' | 'low' | 'stale'} kind @returns {Share} */
  #find(job, kind) {
    const [, previous, coinbase1, coinbase2, branch, version, bits, time] = job.params;
    const extranonce2 = (this.#extranonce2++ >>> 0).toString(16).padStart(2 * this.#extranonce2Size, '0');
    let root = sha256d(Buffer.from(coinbase1 + job.extranonce1 + extranonce2 + coinbase2, 'hex'));
    for (const step of branch) root = sha256d(Buffer.concat([root, Buffer.from(step, 'hex')]));
    const header = Buffer.alloc(80);
    header.writeUInt32LE(Number.parseInt(version, 16), 0);
    Buffer.from(previous, 'hex').swap32().copy(header, 4);
    root.copy(header, 36);
    header.writeUInt32LE(Number.parseInt(time, 16), 68);
    header.writeUInt32LE(Number.parseInt(bits, 16), 72);
    const target = targetOf(job.difficulty);
    // The first 64 bytes are the same for all nonces.
    const start = createHash('sha256').update(header.subarray(0, 64));
    for (let nonce = 0; nonce < MAX_NONCES; nonce++) {
      header.writeUInt32LE(nonce, 76);
      const once = start.copy().update(header.subarray(64)).digest();
      const display = hash('sha256', once, 'buffer').reverse();
      const isEnough = display.compare(target) <= 0;
      if (isEnough === (kind === 'low')) continue;
      const params = [this.worker, job.id, extranonce2, time, nonce.toString(16).padStart(8, '0')];
      const block = isBlock(display, bits) ? display.toString('hex') : undefined;
      if (block !== undefined && kind === 'good') this.blocks.push(block);
      return { key: achieved(display), params, kind, block };
    }
    throw new Error(`no share of difficulty ${job.difficulty} in ${MAX_NONCES} nonces`);
  }
}

/** @param {Buffer} display @param {string} bits */
function isBlock(display, bits) {
  const compact = Number.parseInt(bits, 16);
  const target = BigInt(compact & 0x7fffff) << BigInt(8 * ((compact >>> 24) - 3));
  return BigInt(`0x${display.toString('hex')}`) <= target;
}

// One connection of the load process. Its share lines are built once; per share only the digits of the nonce and the
// job are written, so that the load is never the limit (the `answers only` rows of the tables show its ceiling).
import { createConnection } from 'node:net';
import { now } from './usage.mjs';

const NEWLINE = 0x0a;
/** `[` stands only in error replies and in notifications. */
const BRACKET = 0x5b;
const HEX = Buffer.from('0123456789abcdef');
const FULL_LINE = Buffer.from('"mining.');
const JOB = /"mining\.notify","params":\["([0-9a-f]+)".*"([0-9a-f]{8})",(?:true|false)\]/;
/** One share in so many is wrong on purpose: by turns a job nobody gave out, and the share before once more. */
const WRONG_EVERY = 100;

/** What all connections have counted since it was last set. */
export const counters = { replies: 0, rejected: 0, sent: 0, wrong: 0, closed: 0 };

export class Latencies {
  /** @param {number} capacity */
  constructor(capacity) {
    this.values = new Float64Array(capacity);
    this.count = 0;
  }
  /** @param {number} ms */
  add(ms) {
    if (this.count < this.values.length) this.values[this.count++] = ms;
  }
  percentiles() {
    const sorted = this.values.slice(0, this.count).sort();
    const at = (/** @type {number} */ part) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
/** Reply times of all connections. */
export const latencies = new Latencies(4_000_000);

export class Miner {
  /** @param {number} index @param {{ host: string, port: number }} target @param {readonly string[]} names */
  constructor(index, target, names) {
    this.index = index;
    this.names = names;
    this.lines = Buffer.alloc(0);
    this.lineLength = 0;
    this.slots = 0;
    this.next = 0;
    this.nonce = 0;
    this.sentOnJob = 0;
    this.untilWrong = WRONG_EVERY - (index % WRONG_EVERY);
    this.wrong = 0;
    this.sentAt = new Float64Array(0);
    this.sentHead = 0;
    this.sentTail = 0;
    this.isMining = false;
    this.isClosedLoop = false;
    this.text = '';
    this.jobBytes = Buffer.alloc(8);
    this.ntimeBytes = Buffer.alloc(8);
    this.nonceAt = 0;
    this.jobAt = 0;
    this.ntimeAt = 0;
    this.hasJob = false;
    /** Answers to subscribe and authorize that have not come. */
    this.handshakeLeft = names.length + 1;
    this.notifiedAt = 0;
    this.onReady = () => {};
    this.socket = createConnection(target);
    this.socket.setNoDelay(true);
    this.socket.on('error', () => {});
    this.socket.on('close', () => counters.closed++);
    this.socket.on('data', (bytes) => this.onData(bytes));
  }

  /** All of the handshake in one segment; resolves when all answers and the first job are there. */
  handshake() {
    return new Promise((resolve, reject) => {
      this.onReady = () => resolve(undefined);
      this.socket.once('close', () => reject(new Error('closed in the handshake')));
      const authorize = this.names.map(
        (name, i) => `{"id":${i + 2},"method":"mining.authorize","params":["${name}","x"]}\n`,
      );
      this.socket.write(`{"id":1,"method":"mining.subscribe","params":["load/1"]}\n${authorize.join('')}`);
    });
  }

  /** Builds lines for `outstanding` shares under way, at least one for each name. @param {number} outstanding */
  prepare(outstanding) {
    const slots = Math.max(outstanding * 2, this.names.length);
    if (slots !== this.slots) {
      this.slots = slots;
      const rows = [];
      const extranonce2 = this.index.toString(16).padStart(16, '0');
      for (let i = 0; i < slots; i++) {
        const name = this.names[i % this.names.length];
        const id = 10_000_000 + i;
        rows.push(
          `{"id":${id},"method":"mining.submit","params":["${name}","jjjjjjjj","${extranonce2}","tttttttt","nnnnnnnn"]}\n`,
        );
      }
      const [row = ''] = rows;
      this.lineLength = row.length;
      if (rows.some(({ length }) => length !== row.length)) throw new Error('share lines differ in length');
      this.lines = Buffer.from(rows.join(''), 'latin1');
      this.jobAt = row.indexOf('jjjjjjjj');
      this.ntimeAt = row.indexOf('tttttttt');
      this.nonceAt = row.indexOf('nnnnnnnn');
      this.sentAt = new Float64Array(slots);
    }
    this.next = 0;
    this.sentHead = 0;
    this.sentTail = 0;
  }

  /** Makes the line of a slot the next share. @param {number} slot */
  #write(slot) {
    const { lines } = this;
    const at = slot * this.lineLength;
    const job = at + this.jobAt;
    const ntime = at + this.ntimeAt;
    for (let i = 0; i < 8; i++) {
      lines[job + i] = this.jobBytes[i] ?? 0;
      lines[ntime + i] = this.ntimeBytes[i] ?? 0;
    }
    let nonce = this.nonce;
    if (--this.untilWrong === 0) {
      this.untilWrong = WRONG_EVERY;
      counters.wrong++;
      if (++this.wrong % 2 === 1 || this.sentOnJob === 0) lines[job] = 0x66;
      else nonce = (nonce - 1) >>> 0;
    } else {
      this.nonce = (nonce + 1) >>> 0;
      this.sentOnJob++;
    }
    for (let i = at + this.nonceAt + 7; i >= at + this.nonceAt; i--) {
      lines[i] = HEX[nonce & 15] ?? 0;
      nonce >>>= 4;
    }
  }

  /** Sends shares. @param {number} count @param {number} stamp when they were due */
  send(count, stamp) {
    let left = count;
    while (left > 0) {
      const run = Math.min(left, this.slots - this.next);
      for (let i = 0; i < run; i++) {
        this.#write(this.next + i);
        this.sentAt[this.sentTail] = stamp;
        this.sentTail = this.sentTail + 1 === this.slots ? 0 : this.sentTail + 1;
      }
      this.socket.write(this.lines.subarray(this.next * this.lineLength, (this.next + run) * this.lineLength));
      this.next = (this.next + run) % this.slots;
      left -= run;
    }
    counters.sent += count;
  }

  /** @param {Buffer} bytes */
  onData(bytes) {
    // Whatever is not just whole replies goes the slow way.
    if (!this.isMining || this.text !== '' || bytes[bytes.length - 1] !== NEWLINE || bytes.includes(FULL_LINE)) {
      this.#onText(bytes);
      return;
    }
    let replies = 0;
    let rejected = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === NEWLINE) replies++;
      else if (byte === BRACKET) rejected++;
    }
    this.#replied(replies, rejected);
  }

  /** @param {Buffer} bytes */
  #onText(bytes) {
    const lines = (this.text + bytes.latin1Slice()).split('\n');
    this.text = lines.pop() ?? '';
    let replies = 0;
    let rejected = 0;
    for (const line of lines) {
      if (!line.startsWith('{"id":null')) {
        replies++;
        if (line.includes('[')) rejected++;
      } else if (line.includes('"mining.notify"')) this.#notified(line);
    }
    if (this.isMining) this.#replied(replies, rejected);
    else if (this.handshakeLeft > 0) {
      this.handshakeLeft -= replies;
      if (this.handshakeLeft === 0 && this.hasJob) this.onReady();
    }
  }

  /** @param {string} line */
  #notified(line) {
    this.notifiedAt = now();
    const [, job = '', ntime = ''] = JOB.exec(line) ?? [];
    if (job.length !== 8) throw new Error(`no job in ${line}`);
    this.jobBytes.latin1Write(job);
    this.ntimeBytes.latin1Write(ntime);
    this.sentOnJob = 0;
    this.hasJob = true;
  }

  /** @param {number} replies @param {number} rejected */
  #replied(replies, rejected) {
    if (replies === 0) return;
    counters.replies += replies;
    counters.rejected += rejected;
    const time = now();
    for (let i = 0; i < replies; i++) {
      latencies.add(time - (this.sentAt[this.sentHead] ?? time));
      this.sentHead = this.sentHead + 1 === this.slots ? 0 : this.sentHead + 1;
    }
    if (this.isClosedLoop) this.send(replies, time);
  }
}

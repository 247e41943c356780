// The load process of the server benchmarks: many Stratum connections in one Node process. Commands come over IPC;
// every answer goes back over IPC. Share lines are built once per connection and only their nonce digits are written
// per share, so that the load is never the limit (the `answer only` row of the table shows its ceiling).
import { createConnection } from 'node:net';

const NEWLINE = 0x0a;
const BRACKET = 0x5b; // `[` stands only in error replies
const HEX = Buffer.from('0123456789abcdef');
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** @type {Miner[]} */
let miners = [];
let counters = fresh();
/** Nonces are distinct over the whole run: each connection has its own extranonce, each line counts up. */
let latencies = new Float64Array(0);
let latencyCount = 0;

function fresh() {
  return { replies: 0, rejected: 0, sent: 0, closed: 0 };
}

class Miner {
  constructor(index, target) {
    this.index = index;
    this.ready = false;
    this.lines = undefined;
    this.lineLength = 0;
    this.slots = 0;
    this.next = 0;
    this.nonce = 0;
    this.sentAt = undefined;
    this.sentHead = 0;
    this.sentTail = 0;
    this.loop = false;
    this.text = '';
    this.job = undefined;
    this.notifiedAt = 0;
    this.socket = createConnection(target);
    this.socket.setNoDelay(true);
    this.socket.on('error', () => {});
    this.socket.on('close', () => counters.closed++);
  }

  /** Handshake in one segment; resolves when the first job is there. */
  handshake() {
    return new Promise((resolve, reject) => {
      this.socket.on('close', () => reject(new Error('closed in the handshake')));
      this.socket.on('connect', () => {
        this.socket.write(
          `{"id":1,"method":"mining.subscribe","params":["load/1"]}\n{"id":2,"method":"mining.authorize","params":["load.${this.index}","x"]}\n`,
        );
      });
      const onData = (chunk) => {
        this.text += chunk.toString('latin1');
        let end = this.text.indexOf('\n');
        while (end >= 0) {
          const message = JSON.parse(this.text.slice(0, end));
          this.text = this.text.slice(end + 1);
          if (message.method === 'mining.notify') this.job = message.params;
          end = this.text.indexOf('\n');
        }
        if (this.job) {
          this.socket.off('data', onData);
          this.socket.on('data', (bytes) => this.onData(bytes));
          this.ready = true;
          this.text = '';
          resolve();
        }
      };
      this.socket.on('data', onData);
    });
  }

  /** Builds `slots` share lines; every hundredth names an unknown job and must be rejected. */
  prepare(slots) {
    const [jobId, , , , , , , ntime] = this.job;
    this.slots = slots * 2;
    const rows = [];
    for (let i = 0; i < this.slots; i++) {
      rows.push(`{"id":${1000 + i},"method":"mining.submit","params":["load.${this.index}","${jobId}","${this.index.toString(16).padStart(16, '0')}","${ntime}","00000000"]}\n`);
    }
    this.lineLength = rows[0].length;
    if (rows.some((row) => row.length !== this.lineLength)) throw new Error('share lines differ in length');
    this.lines = Buffer.from(rows.join(''), 'latin1');
    this.nonceAt = rows[0].lastIndexOf('"00000000"') + 1;
    this.jobAt = rows[0].indexOf(`"${jobId}"`) + 1;
    this.jobBytes = Buffer.from(jobId, 'latin1');
    this.sentAt = new Float64Array(this.slots);
    this.next = 0;
    this.sentHead = 0;
    this.sentTail = 0;
    this.wrong = 0;
  }

  patch(slot) {
    const at = slot * this.lineLength + this.nonceAt;
    let nonce = this.nonce++;
    for (let i = 7; i >= 0; i--) {
      this.lines[at + i] = HEX[nonce & 15];
      nonce >>>= 4;
    }
    // One share in a hundred is wrong on purpose.
    const jobAt = slot * this.lineLength + this.jobAt;
    this.lines[jobAt] = ++this.wrong % 100 === 0 ? 0x66 : this.jobBytes[0];
  }

  send(count, stamp) {
    while (count > 0) {
      const run = Math.min(count, this.slots - this.next);
      for (let i = 0; i < run; i++) {
        this.patch(this.next + i);
        this.sentAt[this.sentTail] = stamp;
        this.sentTail = (this.sentTail + 1) % this.slots;
      }
      this.socket.write(this.lines.subarray(this.next * this.lineLength, (this.next + run) * this.lineLength));
      this.next = (this.next + run) % this.slots;
      counters.sent += run;
      count -= run;
    }
  }

  onData(bytes) {
    if (!this.loop) {
      if (bytes.includes('mining.notify')) this.notifiedAt = now();
      return;
    }
    let replies = 0;
    let rejected = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === NEWLINE) replies++;
      else if (byte === BRACKET) rejected++;
    }
    counters.replies += replies;
    counters.rejected += rejected;
    const time = now();
    for (let i = 0; i < replies; i++) {
      if (latencyCount < latencies.length) latencies[latencyCount++] = time - this.sentAt[this.sentHead];
      this.sentHead = (this.sentHead + 1) % this.slots;
    }
    if (this.closedLoop) this.send(replies, time);
  }
}

const commands = {
  /** Opens connections, at most `parallel` handshakes at a time; answers the rate. */
  async open({ port, connections, parallel = 256 }) {
    const target = { host: '127.0.0.1', port };
    const started = now();
    let next = 0;
    const worker = async () => {
      while (next < connections) {
        const miner = new Miner(miners.length, target);
        miners.push(miner);
        next++;
        await miner.handshake();
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, connections) }, worker));
    const seconds = (now() - started) / 1000;
    return { seconds, perSecond: connections / seconds };
  },

  /** Closed loop: every connection keeps `outstanding` shares on the way. */
  async closed({ outstanding, seconds, warmup = 1 }) {
    for (const miner of miners) {
      if (!miner.lines || miner.slots !== outstanding * 2) miner.prepare(outstanding);
      miner.loop = true;
      miner.closedLoop = true;
    }
    latencies = new Float64Array(2_000_000);
    for (const miner of miners) miner.send(outstanding, now());
    await new Promise((resolve) => setTimeout(resolve, warmup * 1000));
    latencyCount = 0;
    counters = fresh();
    process.send({ mark: 'begin' });
    const started = now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const result = { ...counters, seconds: (now() - started) / 1000, ...percentiles() };
    process.send({ mark: 'end' });
    for (const miner of miners) miner.closedLoop = false;
    await drain();
    return result;
  },

  /** Open loop: a fixed rate spread evenly over the connections, whatever the replies do. */
  async paced({ perSecond, seconds, warmup = 1 }) {
    for (const miner of miners) {
      miner.prepare(4096);
      miner.loop = true;
      miner.closedLoop = false;
    }
    latencies = new Float64Array(2_000_000);
    latencyCount = 0;
    counters = fresh();
    const started = now();
    let sent = 0;
    let turn = 0;
    let marked = false;
    while (now() - started < (seconds + warmup) * 1000) {
      if (!marked && now() - started >= warmup * 1000) {
        marked = true;
        latencyCount = 0;
        counters = fresh();
        process.send({ mark: 'begin' });
      }
      const due = Math.floor(((now() - started) / 1000) * perSecond);
      const stamp = now();
      for (; sent < due; sent++) miners[turn++ % miners.length].send(1, stamp);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const result = { ...counters, seconds, ...percentiles() };
    process.send({ mark: 'end' });
    await drain();
    return result;
  },

  /** Forgets notify times; `spread` later tells when each socket had the next one. */
  async listen() {
    for (const miner of miners) {
      miner.loop = false;
      miner.notifiedAt = 0;
    }
    return {};
  },

  async spread({ since, timeoutMs = 10_000 }) {
    const deadline = now() + timeoutMs;
    while (miners.some((miner) => miner.notifiedAt === 0) && now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    const times = miners.map((miner) => miner.notifiedAt - since).sort((a, b) => a - b);
    return { missing: miners.filter((miner) => miner.notifiedAt === 0).length, median: times[times.length >> 1], last: times.at(-1) };
  },

  async close() {
    for (const miner of miners) miner.socket.destroy();
    miners = [];
    return {};
  },
};

async function drain() {
  for (let i = 0; i < 100 && counters.replies < counters.sent; i++) await new Promise((resolve) => setTimeout(resolve, 10));
}

function percentiles() {
  const sorted = latencies.slice(0, latencyCount).sort();
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

process.on('message', async ({ id, command, options }) => {
  try {
    process.send({ id, result: await commands[command](options ?? {}) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ mark: 'ready' });

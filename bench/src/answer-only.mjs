// A server that only answers: it cuts lines, copies the id and says `true`. No session, no validation, no ledger: what
// sockets and Node alone cost, and the ceiling of the load process.
import { createServer } from 'node:net';
import { serve } from './ipc.mjs';
import { makeJob, notifyLine } from './job.mjs';
import { now, usage } from './usage.mjs';

const NEWLINE = 0x0a;
const SUBSCRIBE = Buffer.from('"mining.subscribe"');
const AUTHORIZE = Buffer.from('"mining.authorize"');
/** `{"id":`, behind which the load always puts a number. */
const ID_AT = 6;

let nextJob = Math.floor(Date.now() / 1000);
let tip = 0;
let notify = Buffer.from(notifyLine(makeJob(nextJob++, { tip, clean: true })));
let nextIndex = 0;
let accepted = 0;
/** @type {Set<import('node:net').Socket>} */
const sockets = new Set();

/** @param {Buffer} bytes @param {number} start */
function idText(bytes, start) {
  let end = start + ID_AT;
  while (bytes[end] !== 0x2c) end++;
  return bytes.latin1Slice(start + ID_AT, end);
}

/** @param {Buffer} bytes @param {number} start @param {number} end */
function answer(bytes, start, end) {
  const id = idText(bytes, start);
  const method = bytes.subarray(start + ID_AT, Math.min(end, start + 60));
  if (method.includes(SUBSCRIBE)) {
    const extranonce1 = (nextIndex++).toString(16).padStart(8, '0');
    return `{"id":${id},"result":[[["mining.notify","00"]],"${extranonce1}",8],"error":null}\n`;
  }
  if (method.includes(AUTHORIZE)) {
    const difficulty = '{"id":null,"method":"mining.set_difficulty","params":[0.000000000232831]}\n';
    return `{"id":${id},"result":true,"error":null}\n${difficulty}${notify.latin1Slice()}`;
  }
  accepted++;
  return `{"id":${id},"result":true,"error":null}\n`;
}

const server = createServer((socket) => {
  sockets.add(socket);
  socket.setNoDelay(true);
  let handshakes = 2;
  /** @type {Buffer | undefined} */
  let rest;
  socket.on('data', (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let out = '';
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      if (handshakes > 0) {
        handshakes--;
        out += answer(bytes, start, end);
      } else {
        accepted++;
        out += `{"id":${idText(bytes, start)},"result":true,"error":null}\n`;
      }
      start = end + 1;
    }
    rest = start < bytes.length ? bytes.subarray(start) : undefined;
    if (out !== '') socket.write(out, 'latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
});

serve({
  start() {
    return new Promise((resolve) => {
      server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
        const address = server.address();
        resolve({ port: typeof address === 'object' ? address?.port : undefined });
      });
    });
  },

  mark(options) {
    return { ...usage(options), accepted, rejected: {}, shareEvents: 0 };
  },

  /** The bare loop of writes: the same bytes to every socket. */
  publish() {
    notify = Buffer.from(notifyLine(makeJob(nextJob++, { tip: ++tip, clean: true })));
    const cpu = process.cpuUsage();
    const at = now();
    for (const socket of sockets) socket.write(notify);
    const tookMs = now() - at;
    const { user, system } = process.cpuUsage(cpu);
    return { at, tookMs, cpu: user + system };
  },

  stop() {
    server.close();
    for (const socket of sockets) socket.destroy();
  },
});

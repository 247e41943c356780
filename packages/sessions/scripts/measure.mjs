// Resident memory per idle session and CPU per request, over real sockets, with the load in another process.
// Usage (after a build): node --expose-gc packages/sessions/scripts/measure.mjs [sessions] [requests]
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { jsonDetector } from '@headframe/transport';
import {
  CallContext,
  createSessionHooks,
  createSessionServer,
  JsonRpcProtocol,
  MethodRegistry,
} from '../dist/index.js';

const self = fileURLToPath(import.meta.url);
const [sessions = 10_000, requests = 200_000] = process.argv.slice(2).map(Number);

if (process.send) runLoad();
else await runServer();

async function runServer() {
  const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => log };
  const events = { safeEmit() {}, listenerCount: () => 0 };
  const hooks = createSessionHooks(log, events);
  const methods = new MethodRegistry();
  methods.register('login', {
    handler: ({ session }) => {
      session.markAuthorized();
      return true;
    },
  });
  const TRUE = ',"result":true,"error":null}\n';
  const settings = {
    name: 'test',
    methods,
    onRequest: hooks.list('onRequest'),
    beforeReply: hooks.list('beforeReply'),
    createState: () => undefined,
    createContext: (protocol, request) =>
      new CallContext(protocol.session, request.method, request.params, request.wantsReply),
    encodeError: (idText, code) => `{"id":${idText},"result":null,"error":["${code}"]}\n`,
    fastLine(protocol, bytes, start) {
      if (bytes[start + 2] !== 0x78) return false;
      protocol.settle(protocol.reserve(), `{"id":4${TRUE}`);
      return true;
    },
  };
  const server = createSessionServer(
    {
      listeners: [{ host: '127.0.0.1', port: 0 }],
      limits: {
        connectionsPerAddress: Number.POSITIVE_INFINITY,
        unauthorizedPerAddress: Number.POSITIVE_INFINITY,
        connectBurstPerAddress: Number.POSITIVE_INFINITY,
        requestBurst: Number.POSITIVE_INFINITY,
        requestBurstPerAddress: Number.POSITIVE_INFINITY,
      },
    },
    {
      events,
      hooks,
      log,
      protocols: [
        { name: 'test', detector: jsonDetector, create: (session) => new JsonRpcProtocol(session, settings) },
      ],
    },
  );
  const [{ port }] = await server.listen();
  const load = fork(self, process.argv.slice(2));
  const next = () => new Promise((resolve) => load.once('message', resolve));
  await next();
  // A first hundred, which also warm everything up: the young generation has its final size after that.
  load.send({ open: 100, port });
  await next();
  for (const outstanding of [1, 8]) {
    const cpu = process.cpuUsage();
    load.send({ requests, outstanding, connections: 100 });
    await next();
    const used = process.cpuUsage(cpu);
    console.log(
      `${outstanding} outstanding on 100: ${((used.user + used.system) / requests).toFixed(2)} us CPU per request`,
    );
  }
  const before = memory();
  const openStart = process.hrtime.bigint();
  load.send({ open: sessions, port });
  await next();
  const openMs = Number(process.hrtime.bigint() - openStart) / 1e6;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const after = memory();
  const per = (name) => ((after[name] - before[name]) / sessions / 1024).toFixed(2);
  console.log(`sessions ${server.sessionCount}, opened in ${openMs.toFixed(0)} ms`);
  console.log(`KB per idle session: rss ${per('rss')}, heap ${per('heapUsed')}, external ${per('external')}`);
  load.kill();
  server.destroy();
}

function memory() {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage();
}

function runLoad() {
  const sockets = [];
  const line = Buffer.from(
    '{"x":0,"id":4,"method":"mining.submit","params":["bc1qexample.rig","1a2b3c4d","0100000000000000","67890abc","deadbeef","00a2c000"]}\n',
  );
  process.on('message', async (order) => {
    if (order.open) await openAll(order);
    else await floodAll(order);
    process.send('done');
  });
  process.send('ready');

  async function openAll({ open, port }) {
    for (let at = 0; at < open; at += 200) {
      await Promise.all(
        Array.from({ length: Math.min(200, open - at) }, () => {
          const socket = connect({ host: '127.0.0.1', port, noDelay: true });
          sockets.push(socket);
          socket.write('{"id":1,"method":"login","params":["bc1qexample.rig","x"]}\n');
          return new Promise((resolve, reject) => {
            socket.once('data', resolve);
            socket.once('error', reject);
          });
        }),
      );
    }
  }

  function floodAll({ requests: total, outstanding, connections }) {
    return new Promise((resolve) => {
      let sent = 0;
      let received = 0;
      const batch = Buffer.concat(Array.from({ length: outstanding }, () => line));
      const chosen = sockets.slice(0, connections);
      for (const socket of chosen) {
        socket.removeAllListeners('data');
        let waiting = 0;
        const fire = () => {
          if (sent >= total) return;
          sent += outstanding;
          waiting += outstanding;
          socket.write(batch);
        };
        socket.on('data', (chunk) => {
          for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
            received++;
            waiting--;
          }
          if (waiting === 0) fire();
          if (received >= total) resolve();
        });
        fire();
      }
    });
  }
}

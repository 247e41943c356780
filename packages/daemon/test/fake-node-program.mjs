// Plays a coin node as a process of its own. Its arguments are those of the supervisor; how it behaves is in FAKE_NODE:
// a JSON object. It answers RPC with its cookie, as a real node does.
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const behaviour = JSON.parse(process.env.FAKE_NODE ?? '{}');
const option = (name) => process.argv.find((arg) => arg.startsWith(`-${name}=`))?.slice(name.length + 2);
const folder = join(option('datadir'), 'regtest');
mkdirSync(folder, { recursive: true });
appendFileSync(join(folder, 'starts'), `${JSON.stringify({ pid: process.pid, args: process.argv.slice(2) })}\n`);
if (behaviour.env) writeFileSync(join(folder, 'env'), JSON.stringify(process.env));
if (behaviour.says) process.stderr.write(`${behaviour.says}\n`);
if (behaviour.floodBytes) {
  const line = `${'flood '.repeat(20)}\n`;
  for (let i = 0; i < behaviour.floodBytes / line.length; i++) process.stdout.write(line);
}
if (behaviour.exit !== undefined) process.exitCode = behaviour.exit;
else run();

function run() {
  const cookie = `__cookie__:${createHash('sha256').update(randomBytes(8)).digest('hex')}`;
  let probes = 0;
  let timer;
  const leave = () => {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
    rmSync(join(folder, '.cookie'), { force: true });
    writeFileSync(join(folder, 'state'), 'written');
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const expected = `Basic ${Buffer.from(cookie).toString('base64')}`;
      if (request.headers.authorization !== expected) {
        response.writeHead(401).end();
        return;
      }
      const { id, method } = JSON.parse(body);
      const reply = (result, error = null) => {
        response.writeHead(error === null ? 200 : 500).end(JSON.stringify({ id, result, error }));
      };
      if (probes++ < (behaviour.warmUp ?? 0)) reply(null, { code: -28, message: 'Loading block index...' });
      else if (method === 'getblockcount') reply(7);
      else if (method === 'stop') {
        reply('stopping');
        if (!behaviour.ignoreStop) setTimeout(leave, 10);
      } else reply(null, { code: -32601, message: 'Method not found' });
    });
  });
  if (behaviour.ignoreTerm) process.on('SIGTERM', () => {});
  else process.on('SIGTERM', leave);
  // Keeps a process alive that does not listen.
  timer = setTimeout(() => {}, 600_000);
  if (behaviour.deaf) return;
  server.listen(Number(option('rpcport')), '127.0.0.1', () => {
    writeFileSync(join(folder, '.cookie'), cookie, { mode: 0o600 });
    process.stdout.write('fake node is up\n');
  });
}

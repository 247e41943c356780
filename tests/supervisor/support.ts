import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type NodeCall, nodeRpc } from '../support/node-rpc.js';

/** Something that a node connects to and takes for a peer: getblocktemplate is refused without one. */
export interface IdlePeer {
  readonly port: number;
  close(): void;
}

/** Accepts connections and says nothing. A node connects again by itself after a restart. */
export function startIdlePeer(): Promise<IdlePeer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        close: () => {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}

/** Arguments with which litecoind on regtest hands out templates; see tests/nodes/litecoind.ts. */
export function litecoindArgs(peer: IdlePeer): string[] {
  return [
    `-connect=127.0.0.1:${peer.port}`,
    '-peertimeout=86400', // the idle connection never shakes hands
    '-maxtipage=2000000000', // a tip of any age ends the initial download
    '-vbparams=mweb:-2:0',
    '-disablewallet',
    '-upnp=0',
  ];
}

/** Calls a node with the cookie in its folder, read anew each time: it changes with every start. */
export function cookieRpc(dataDir: string, port: number): NodeCall {
  return async (method, ...params) => {
    const [user = '', password = ''] = readFileSync(join(dataDir, 'regtest', '.cookie'), 'utf8').split(':');
    return nodeRpc({ port, user, password })(method, ...params);
  };
}

/** True while there is a process of that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Command line of a process, as every user of the machine can read it. */
export function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

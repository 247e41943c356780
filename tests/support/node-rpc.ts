import { Agent, request } from 'node:http';

/** An error answer of a node. */
export class NodeRpcError extends Error {
  readonly code: number;
  readonly status: number;
  constructor(code: number, message: string, status: number) {
    super(`${message} (RPC ${code}, HTTP ${status})`);
    this.name = 'NodeRpcError';
    this.code = code;
    this.status = status;
  }
}

export interface NodeAddress {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export type NodeCall = <T>(method: string, ...params: readonly unknown[]) => Promise<T>;

/** Calls a node's RPC. A small client of the tests' own: they do not check the product with the product. */
export function nodeRpc(node: NodeAddress): NodeCall {
  const agent = new Agent({ keepAlive: false });
  const authorization = `Basic ${Buffer.from(`${node.user}:${node.password}`).toString('base64')}`;
  return <T>(method: string, ...params: readonly unknown[]) =>
    new Promise<T>((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port: node.port, method: 'POST', path: '/', agent, headers: { authorization } },
        (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          response.on('error', reject);
          response.on('end', () => {
            try {
              const answer = JSON.parse(body);
              if (answer.error === null || answer.error === undefined) resolve(answer.result);
              else reject(new NodeRpcError(answer.error.code, answer.error.message, response.statusCode ?? 0));
            } catch {
              reject(new NodeRpcError(0, `no JSON: ${body.slice(0, 100)}`, response.statusCode ?? 0));
            }
          });
        },
      );
      call.on('error', reject);
      call.setTimeout(60_000, () => call.destroy(new Error(`${method}: no answer`)));
      call.end(JSON.stringify({ id: 1, method, params }));
    });
}

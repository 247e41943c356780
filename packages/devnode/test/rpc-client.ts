import type { DevNode } from '../src/index.js';

export interface RpcAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, looked at by assertions only
  readonly result: any;
  readonly error: { readonly code: number; readonly message: string } | null;
  /** As it came: numbers with all their digits. */
  readonly text: string;
}

export interface RpcClient {
  call(method: string, ...params: unknown[]): Promise<RpcAnswer>;
  /** The result. @throws Error with the error of the node. */
  // biome-ignore lint/suspicious/noExplicitAny: see RpcAnswer
  ok(method: string, ...params: unknown[]): Promise<any>;
  /** `code message` of an error that has to come. */
  fail(method: string, ...params: unknown[]): Promise<string>;
}

/** Speaks to a development chain as a wallet's user does. */
export function rpcClient(node: DevNode, path = ''): RpcClient {
  const authorization = `Basic ${Buffer.from(`${node.user}:${node.password}`).toString('base64')}`;
  const call = async (method: string, ...params: unknown[]): Promise<RpcAnswer> => {
    const body = JSON.stringify({ id: 1, method, params });
    const response = await fetch(node.url + path, { method: 'POST', headers: { authorization }, body });
    const text = await response.text();
    return { ...JSON.parse(text), text };
  };
  return {
    call,
    ok: async (method, ...params) => {
      const { result, error } = await call(method, ...params);
      if (error !== null) throw new Error(`${method}: ${error.code} ${error.message}`);
      return result;
    },
    fail: async (method, ...params) => {
      const { error, result } = await call(method, ...params);
      if (error === null) throw new Error(`${method} answered ${JSON.stringify(result)}`);
      return `${error.code} ${error.message}`;
    },
  };
}

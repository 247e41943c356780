export type { RpcCredentials } from './rpc-auth.js';
export {
  createRpcClient,
  type RpcCallOptions,
  type RpcClient,
  type RpcClientOptions,
  type RpcOutcome,
  type RpcRequest,
} from './rpc-client.js';

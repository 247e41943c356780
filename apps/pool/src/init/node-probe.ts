import { readFile } from 'node:fs/promises';
import { errorMessage } from '@headframe/primitives';

/** How long a node may take to answer while somebody waits at the keyboard. */
const TIMEOUT_MS = 5_000;
/** The answers looked at are small; a server that sends more is no node. */
const MAX_ANSWER_BYTES = 1_000_000;

/** How to reach a node. */
export interface NodeLogin {
  readonly url: string;
  readonly cookieFile?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** What a node said of itself. */
export type NodeFinding =
  | {
      readonly kind: 'found';
      readonly version: string;
      /** As the node calls its network: main, test, regtest, signet ... Empty when it does not say. */
      readonly chain: string;
      readonly height: number;
      readonly isSyncing: boolean;
    }
  | { readonly kind: 'problem'; readonly reason: string; readonly isLogin: boolean };

async function authorization(login: NodeLogin): Promise<string | undefined> {
  const pair =
    login.cookieFile !== undefined
      ? (await readFile(login.cookieFile, 'utf8')).trim()
      : login.user !== undefined
        ? `${login.user}:${login.password ?? ''}`
        : undefined;
  return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`;
}

class LoginRefused extends Error {}

async function call(login: NodeLogin, header: string | undefined, method: string): Promise<Record<string, unknown>> {
  const response = await fetch(login.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(header !== undefined && { authorization: header }) },
    body: JSON.stringify({ jsonrpc: '1.0', id: 'headframe-init', method, params: [] }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    throw new LoginRefused(`it refused the login (HTTP ${response.status})`);
  }
  if (Number(response.headers.get('content-length') ?? 0) > MAX_ANSWER_BYTES) {
    await response.body?.cancel();
    throw new Error('its answer is too long for a node');
  }
  const body: unknown = JSON.parse(await response.text());
  if (typeof body !== 'object' || body === null) throw new Error('its answer is no JSON-RPC');
  const { result, error } = body as { result?: unknown; error?: unknown };
  if (typeof error === 'object' && error !== null && 'message' in error) throw new Error(String(error.message));
  if (typeof result !== 'object' || result === null) throw new Error('its answer is no JSON-RPC');
  return result as Record<string, unknown>;
}

/** Asks a node who it is. Never rejects. */
export async function probeNode(login: NodeLogin): Promise<NodeFinding> {
  try {
    const header = await authorization(login);
    const chain = await call(login, header, 'getblockchaininfo');
    const network = await call(login, header, 'getnetworkinfo').catch(() => ({}) as Record<string, unknown>);
    return {
      kind: 'found',
      version: String(network.subversion ?? 'a node'),
      chain: typeof chain.chain === 'string' ? chain.chain : '',
      height: Number(chain.blocks),
      isSyncing: chain.initialblockdownload === true,
    };
  } catch (error) {
    return { kind: 'problem', reason: reasonOf(error), isLogin: isLoginProblem(error) };
  }
}

function isLoginProblem(error: unknown): boolean {
  return error instanceof LoginRefused || (error instanceof Error && 'path' in error);
}

/** fetch hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it did not answer in ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  if (cause instanceof AggregateError) return errorMessage(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}

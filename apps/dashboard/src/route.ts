/** Where the reader is. The address keeps it after `#`, so that the page works under any path and needs no server. */
export type Route =
  | { readonly page: 'overview' | 'blocks' | 'miners' | 'payments' | 'rejects' | 'nodes' | 'connect' | 'missing' }
  | { readonly page: 'block'; readonly hash: string }
  | { readonly page: 'account'; readonly account: string }
  | { readonly page: 'worker'; readonly account: string; readonly worker: string };

const PLAIN = ['blocks', 'miners', 'payments', 'rejects', 'nodes', 'connect'] as const;

/** Longest account or worker name that is looked up. The server knows none beyond it. */
const MAX_NAME = 256;

/** The route of `location.hash`. What cannot be read is `missing`, never an error. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, '').replace(/\/+$/, '');
  if (path === '') return { page: 'overview' };
  const parts = path.split('/').map(decode);
  const [first, second, third, worker] = parts;
  if (first === 'blocks' && parts.length === 2 && isName(second)) return { page: 'block', hash: second };
  const plain = PLAIN.find((name) => name === first);
  if (plain !== undefined) return parts.length === 1 ? { page: plain } : { page: 'missing' };
  if (first !== 'accounts' || !isName(second)) return { page: 'missing' };
  if (parts.length === 2) return { page: 'account', account: second };
  if (parts.length === 4 && third === 'workers' && isName(worker)) return { page: 'worker', account: second, worker };
  return { page: 'missing' };
}

/** The address of a route, to be put into `href`. */
export function hrefOf(route: Route): string {
  if (route.page === 'overview' || route.page === 'missing') return '#/';
  if (route.page === 'block') return `#/blocks/${encodeURIComponent(route.hash)}`;
  if (route.page === 'account') return `#/accounts/${encodeURIComponent(route.account)}`;
  if (route.page === 'worker') {
    return `#/accounts/${encodeURIComponent(route.account)}/workers/${encodeURIComponent(route.worker)}`;
  }
  return `#/${route.page}`;
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text !== '' && text.length <= MAX_NAME;
}

/** Undefined when the percent signs are wrong. */
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

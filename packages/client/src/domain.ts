/**
 * Second-level labels that registries under two-letter domains sell names below (`co.uk`, `com.br`). A full list of
 * public suffixes has 10,000 lines and changes weekly; for deciding whether a pool may redirect a miner it is enough
 * to be right about the common ones, and a pool under a rare one says so with `redirect: 'any'`.
 */
const SECOND_LEVEL: ReadonlySet<string> = new Set(
  'ac,biz,co,com,edu,firm,gen,go,gob,gov,gouv,id,in,ind,info,ltd,me,mil,mod,my,name,ne,net,nic,nom,or,org,plc,pp,res,sch,web'.split(
    ',',
  ),
);

/** Domains whose direct children belong to strangers: dynamic names, tunnels and shared hosting. */
const SHARED: ReadonlySet<string> = new Set([
  'amazonaws.com',
  'azurewebsites.net',
  'cloudapp.net',
  'cloudfront.net',
  'ddns.net',
  'ddnsfree.com',
  'duckdns.org',
  'dynu.net',
  'dyndns.org',
  'eu.org',
  'fly.dev',
  'freeddns.org',
  'github.io',
  'herokuapp.com',
  'hopto.org',
  'mooo.com',
  'ngrok.app',
  'ngrok.io',
  'no-ip.org',
  'nip.io',
  'onrender.com',
  'sslip.io',
  'sytes.net',
  'trycloudflare.com',
  'ts.net',
  'workers.dev',
  'zapto.org',
]);

function isAddress(host: string): boolean {
  return /^[0-9.]+$|:/.test(host);
}

/**
 * The part of a host name that somebody registered: `eu.pool.example.co.uk` gives `example.co.uk`. Undefined for
 * addresses, for names without a dot, and for names that are nobody's (`co.uk`, `duckdns.org`).
 */
export function registrableDomain(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (isAddress(name)) return undefined;
  const labels = name.split('.');
  if (labels.length < 2 || labels.includes('')) return undefined;
  const [top = '', second = ''] = labels.slice().reverse();
  const isSuffix = (top.length === 2 && SECOND_LEVEL.has(second)) || SHARED.has(`${second}.${top}`);
  const size = isSuffix ? 3 : 2;
  return labels.length < size ? undefined : labels.slice(-size).join('.');
}

/**
 * Whether a pool may send a miner from one host to the other: within the domain that somebody registered, so that
 * whoever can inject one line cannot take the miner away. Addresses, and names without a domain, must be equal.
 */
export function isSameDomain(from: string, to: string): boolean {
  const plain = (host: string): string => host.toLowerCase().replace(/\.$/, '');
  if (plain(from) === plain(to)) return true;
  const domain = registrableDomain(from);
  return domain !== undefined && domain === registrableDomain(to);
}

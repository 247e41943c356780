import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LITECOIND_PATH } from '../nodes/litecoind.js';
import { postgresPrograms } from '../nodes/postgres.js';

export type Service =
  | 'bcoin'
  | 'chromium'
  | 'dashboard'
  | 'electrum'
  | 'litecoind'
  | 'pool binary'
  | 'postgresql'
  | 'strace';

const HOW: Readonly<Record<Service, string>> = {
  bcoin: 'install the workspace (npm test does)',
  chromium: 'apt-get install --no-install-recommends chromium',
  dashboard: 'build the workspace (npm test does)',
  electrum: 'apt-get install --no-install-recommends electrum',
  litecoind: 'apt-get install --no-install-recommends litecoind',
  postgresql: 'apt-get install --no-install-recommends postgresql',
  strace: 'apt-get install --no-install-recommends strace',
  'pool binary': 'build the workspace (npm test does)',
};

function isThere(service: Service): boolean {
  if (service === 'litecoind') return existsSync(LITECOIND_PATH);
  if (service === 'postgresql') return postgresPrograms() !== undefined;
  if (service === 'chromium') return existsSync('/usr/bin/chromium');
  if (service === 'dashboard') return existsSync(new URL('../../apps/dashboard/dist/index.html', import.meta.url));
  if (service === 'electrum') return existsSync('/usr/bin/electrum');
  if (service === 'strace') return existsSync('/usr/bin/strace');
  if (service === 'pool binary') return existsSync(new URL('../../apps/pool/dist/index.js', import.meta.url));
  try {
    createRequire(import.meta.url).resolve('bcoin/package.json');
    return true;
  } catch {
    return false;
  }
}

/**
 * True when a service is there. Otherwise the suite is to be skipped, which is said by name; with
 * HEADFRAME_REQUIRE_SERVICES=1 a missing service is an error instead.
 */
export function requireService(...services: readonly Service[]): boolean {
  const missing = services.filter((service) => !isThere(service));
  if (missing.length === 0) return true;
  const text = missing.map((service) => `${service} is missing (${HOW[service]})`).join('; ');
  if (process.env.HEADFRAME_REQUIRE_SERVICES === '1') throw new Error(text);
  console.log(`skipping a suite: ${text}`);
  return false;
}

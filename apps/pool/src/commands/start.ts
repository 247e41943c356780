import { createPool, parseConfig } from '@headframe/pool';
import type { Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { loadConfig } from '../load-config.js';
import { createLogger } from '../logger.js';
import { stopSignal } from '../stop-signal.js';
import { version } from '../version.js';

/** Runs a pool in the foreground until SIGTERM or SIGINT. */
export const start: Command = {
  name: 'start',
  summary: 'Run a pool in the foreground, until SIGTERM or SIGINT.',
  options: {
    config: { type: 'string', short: 'c', value: 'FILE', help: 'Configuration: JSON, JSONC or YAML.' },
  },
  details: `
Every key can also be set by an environment variable: HEADFRAME_LISTENERS__0__PORT=3333. HEADFRAME_CONFIG names the file.
A second signal stops at once. See docs/reference/config.md for all keys; \`headframe check\` tells what a file would do.`,
  async run(args) {
    const config = parseConfig(await loadConfig(args.text('config'), process.env));
    const log = createLogger(config.log);
    const pool = createPool(config, { log });
    const stop = stopSignal();
    log.info(
      { version: version(), node: process.versions.node, coin: pool.coin.name, network: pool.coin.network },
      'starting',
    );
    await pool.listen();
    const signal = await stop.first;
    log.info({ signal }, 'stopping; once more stops at once');
    stop.onSecond(() => process.exit(EXIT.failure));
    await pool.close();
    log.info({}, 'stopped');
    return EXIT.ok;
  },
};

import { createPool, parseConfig } from '@headframe/pool';
import { systemClock } from '@headframe/primitives';
import type { Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { loadConfig } from '../load-config.js';
import { createLogger } from '../logger.js';
import { ownCommand } from '../own-command.js';
import { reloadNow, reloadOnHangUp } from '../reload.js';
import { serveApi } from '../serve-api.js';
import { startStatusReports } from '../status-report.js';
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
A second signal stops at once. SIGHUP reads the configuration again: difficulties, bans, fees and the log level change
while miners work, and the log tells what needs a restart. See docs/reference/config.md for all keys; \`headframe check\`
tells what a file would do.`,
  async run(args) {
    const file = args.text('config') ?? process.env.HEADFRAME_CONFIG;
    const config = parseConfig(await loadConfig(file, process.env));
    const log = createLogger(config.log);
    const pool = createPool(config, { log, notifyCommand: ownCommand('notify') });
    const source = { file, env: process.env, log };
    pool.reloadSource = () => reloadNow(pool, source);
    await serveApi(pool, { reload: () => reloadNow(pool, source) });
    const stop = stopSignal({ hangUp: false });
    const hangUp = reloadOnHangUp(pool, source);
    log.info(
      { version: version(), node: process.versions.node, coin: pool.coin.name, network: pool.coin.network },
      'starting',
    );
    await pool.listen();
    const endReports = startStatusReports(pool, log, systemClock);
    const signal = await Promise.race([stop.first, hangUp.gone]);
    log.info({ signal }, 'stopping; once more stops at once');
    stop.onSecond(() => process.exit(EXIT.failure));
    endReports();
    hangUp.end();
    await pool.close();
    log.info({}, 'stopped');
    return EXIT.ok;
  },
};

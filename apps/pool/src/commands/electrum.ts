import { createElectrumServer, parseElectrumConfig } from '@headframe/electrum-server';
import { isPoolError, type Logger } from '@headframe/primitives';
import type { Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { loadConfig } from '../load-config.js';
import { createLogger } from '../logger.js';
import { Progress } from '../progress.js';
import { stopSignal } from '../stop-signal.js';
import { version } from '../version.js';

/** A step of a few blocks is news of its own; only a longer way gets a bar. */
const WORTH_A_BAR = 10;

/** Runs an Electrum server over a coin node until SIGTERM or SIGINT. */
export const electrum: Command = {
  name: 'electrum',
  summary: 'Run an Electrum server over a coin node, until SIGTERM or SIGINT.',
  options: {
    config: { type: 'string', short: 'c', value: 'FILE', help: 'Configuration: JSON, JSONC or YAML.' },
    json: { type: 'boolean', help: 'Log as JSON lines also on a terminal.' },
  },
  details: `
The index is made at the first start and brought up to date at each later one; wallets can connect once it is level
with the node. It can be stopped at any time and goes on where it was. A second signal stops at once.
See docs/guides/electrum.md for the configuration.`,
  async run(args) {
    const config = parseElectrumConfig(await loadConfig(args.text('config'), process.env));
    const log: Logger = createLogger({ ...config.log, ...(args.flag('json') ? { format: 'json' } : {}) });
    const server = await createElectrumServer(config, { log });
    const stop = stopSignal();
    log.info(
      { version: version(), node: process.versions.node, coin: server.coin.name, network: server.coin.network },
      'starting',
    );
    const progress = new Progress('indexing');
    let from: number | undefined;
    const endProgress = server.on('progress', ({ height, target }) => {
      from ??= height;
      if (target - from >= WORTH_A_BAR) progress.update((height - from) / (target - from));
    });
    const opened = server.listen().then(
      () => undefined,
      (error: unknown) => error,
    );
    const first = await Promise.race([opened.then((error) => ({ error })), stop.first.then((signal) => ({ signal }))]);
    progress.end();
    endProgress();
    if ('error' in first && first.error !== undefined) {
      await server.close();
      throw first.error;
    }
    const endLog = server.on('tip', ({ height }) => log.info({ height }, 'new block'));
    const signal = 'signal' in first ? first.signal : await stop.first;
    log.info({ signal }, 'stopping; once more stops at once');
    stop.onSecond(() => process.exit(EXIT.failure));
    endLog();
    await server.close();
    const error = await opened;
    if (error !== undefined && !isPoolError(error, 'closed')) throw error;
    log.info({}, 'stopped');
    return EXIT.ok;
  },
};

import { createProxy, type ProxyConfig, startStatusServer } from '@headframe/proxy';
import { createLogger } from './logger.js';

/** Twice the same signal within this is one: a terminal sends it to the whole group, npm passes it on. */
const SAME_SIGNAL_MS = 500;

/** Runs a proxy until SIGTERM or SIGINT; the exit code. A second signal stops at once. */
export async function start(config: ProxyConfig): Promise<number> {
  const log = createLogger(config.log);
  const proxy = createProxy(config, { log });
  const stop = stopSignal();
  const listeners = await proxy.listen();
  try {
    const status = config.status === undefined ? undefined : await startStatusServer(proxy, config.status, log);
    for (const { host, port, tls } of listeners)
      log.info({ host, port, tls, mode: proxy.mode }, 'listening for miners');
    if (status !== undefined) log.info({ host: status.host, port: status.port }, 'status page');
    const signal = await stop;
    log.info({ signal }, 'stopping; once more stops at once');
    await proxy.close();
    await status?.close();
    log.info({}, 'stopped');
    return 0;
  } catch (error) {
    proxy.destroy();
    throw error;
  }
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        firstMs ??= performance.now();
        if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1);
        resolve(signal);
      });
    }
  });
}

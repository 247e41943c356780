import { createProxy, type ProxyConfig } from '@headframe/proxy';

/** How long upstreams get to give a job. */
const WAIT_MS = 10_000;
const POLL_MS = 50;

/**
 * Tells what a configuration would do, and whether an upstream takes it. Opens no port.
 * @returns 0, or 69 when no upstream gave a job
 */
export async function check(config: ProxyConfig): Promise<number> {
  const write = (left: string, right: string): void => void process.stdout.write(`${left.padEnd(10)}${right}\n`);
  write('mode', `${config.mode}, ${config.algorithm}`);
  for (const { host, port, difficulty } of config.listeners) {
    write(
      'listen',
      `${host}:${port}, difficulty ${typeof difficulty === 'number' ? difficulty : `from ${difficulty.start}`}`,
    );
  }
  if (config.listeners.length === 0) write('listen', 'nowhere');
  let found = 0;
  for (const upstream of config.upstreams) {
    const name = upstream.name ?? upstream.url;
    const verdict = await tryUpstream({ ...config, mode: 'aggregated', listeners: [], upstreams: [upstream] });
    if (verdict.isGood) found++;
    write('upstream', `${name}: ${verdict.text}`);
  }
  return found > 0 ? 0 : 69;
}

async function tryUpstream(config: ProxyConfig): Promise<{ readonly isGood: boolean; readonly text: string }> {
  const proxy = createProxy({ ...config, mode: 'aggregated', validation: 'inline' });
  try {
    proxy.connect();
    for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
      const [upstream] = proxy.upstreams;
      const { split } = proxy.stats();
      if (split !== undefined) {
        const job = upstream?.job;
        const sizes = `miners get ${split.extranonce1Size} + ${split.extranonce2Size} bytes of extranonce`;
        return { isGood: true, text: `gives jobs at difficulty ${job?.difficulty ?? '?'}; ${sizes}` };
      }
      // It was tried, and did not work.
      if (upstream !== undefined && upstream.losses > 0) return { isGood: false, text: upstream.detail };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return { isGood: false, text: `no job within ${WAIT_MS / 1000} s` };
  } finally {
    proxy.destroy();
  }
}

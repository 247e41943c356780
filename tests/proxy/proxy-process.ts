import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Exit, startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

/** The binary as it is installed. */
export const HEADFRAME_PROXY = fileURLToPath(new URL('../../apps/proxy/bin/headframe-proxy.js', import.meta.url));

/** One line of the proxy's JSON log. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface ProxyProcess {
  readonly port: number;
  /** Of the status page. */
  readonly statusPort: number;
  readonly logs: readonly LogLine[];
  readonly process: TrackedProcess;
  /** What `/status` says. */
  status(): Promise<{
    readonly upstream?: string;
    readonly total: { readonly accepted: number; readonly blocks: number };
  }>;
  stop(): Promise<Exit>;
}

/** Writes a configuration into a folder of its own. */
export function writeProxyConfig(config: Readonly<Record<string, unknown>>): { readonly file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-proxy-'));
  const file = join(folder, 'proxy.json');
  writeFileSync(file, JSON.stringify(config));
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts `headframe-proxy start --config FILE` and waits until it listens. */
export async function startProxy(config: Readonly<Record<string, unknown>>): Promise<ProxyProcess> {
  const { file, remove } = writeProxyConfig({ status: { port: 0 }, ...config });
  const logs: LogLine[] = [];
  const child = startProcess(process.execPath, [HEADFRAME_PROXY, 'start', '--config', file], {
    onLine: (line) => {
      if (line.startsWith('{')) logs.push(JSON.parse(line) as LogLine);
    },
  });
  const portOf = (msg: string): number | undefined => logs.find((line) => line.msg === msg)?.port as number | undefined;
  await waitFor('the proxy to listen', () => {
    if (child.child.exitCode !== null) throw new Error(`the proxy ended: ${child.output()}`);
    return portOf('status page') !== undefined;
  });
  const statusPort = portOf('status page') ?? 0;
  return {
    port: portOf('listening for miners') ?? 0,
    statusPort,
    logs,
    process: child,
    status: async () => (await fetch(`http://127.0.0.1:${statusPort}/status`)).json() as never,
    stop: async () => {
      const exit = await child.stop();
      remove();
      return exit;
    },
  };
}

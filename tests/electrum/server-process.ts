import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADFRAME, type LogLine } from '../support/pool-process.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

export interface ElectrumProcess {
  /** Ports of the listeners, in the order of the configuration. */
  readonly ports: readonly number[];
  readonly process: TrackedProcess;
  readonly logs: readonly LogLine[];
}

/** A new folder; remove it. */
export function newFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'headframe-electrum-server-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes the configuration and starts `headframe electrum` with it; resolves at once. */
export function spawnElectrum(folder: string, config: Readonly<Record<string, unknown>>): ElectrumProcess {
  const file = join(folder, 'electrum.json');
  writeFileSync(file, JSON.stringify({ dataFile: join(folder, 'index.db'), ...config }));
  const logs: LogLine[] = [];
  const ports: number[] = [];
  const child = startProcess(process.execPath, [HEADFRAME, 'electrum', '--json', '--config', file], {
    onLine: (line) => {
      try {
        const parsed = JSON.parse(line) as LogLine;
        logs.push(parsed);
        if (parsed.msg === 'listening') ports.push(Number(parsed.port));
      } catch {
        // Not a line of the log.
      }
    },
  });
  return { ports, process: child, logs };
}

/** The same, and waits until `count` listeners are open. */
export async function startElectrum(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  count = 1,
): Promise<ElectrumProcess> {
  const started = spawnElectrum(folder, config);
  await waitFor('the Electrum server to listen', () => {
    if (started.process.child.exitCode !== null) throw new Error(`it ended: ${started.process.output()}`);
    return started.ports.length >= count;
  });
  return started;
}

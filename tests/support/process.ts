import { type ChildProcess, spawn } from 'node:child_process';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process whose output is kept and that does not outlive the tests. */
export interface TrackedProcess {
  readonly child: ChildProcess;
  /** All output so far, both streams, bounded to its last part. */
  output(): string;
  readonly exited: Promise<Exit>;
  /** Sends SIGTERM, after `graceMs` SIGKILL, and waits for the end. */
  stop(graceMs?: number): Promise<Exit>;
}

const MAX_OUTPUT = 4_000_000;
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program. `onLine` gets each line of stdout as it comes. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; onLine?(line: string): void } = {},
): TrackedProcess {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let rest = '';
  const keep = (text: string): void => {
    output = (output + text).slice(-MAX_OUTPUT);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    keep(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) options.onLine?.(line);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  const exited = new Promise<Exit>((resolve) => {
    // 'close' and not 'exit': the output is complete then.
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      running.delete(child);
      keep(String(error));
      resolve({ code: null, signal: null });
    });
  });
  const stop = async (graceMs = 20_000): Promise<Exit> => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
    try {
      return await exited;
    } finally {
      clearTimeout(kill);
    }
  };
  return { child, output: () => output, exited, stop };
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The binary, which runs the build. */
export const BINARY: string = fileURLToPath(new URL('../bin/headframe.js', import.meta.url));

/** Longest conversation. */
const DIALOGUE_MS = 100_000;

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

function finished(command: string, args: readonly string[], { cwd, env = {} }: RunOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** Runs the binary with its output in pipes and nothing on its input. */
export function run(args: readonly string[], options: RunOptions): Promise<Run> {
  return finished(process.execPath, [BINARY, ...args], options);
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs the binary on a terminal of its own, so many columns wide; `out` has both streams as they are shown. */
export function runOnTerminal(
  args: readonly string[],
  options: RunOptions & { readonly columns: number },
): Promise<Run> {
  const line = [process.execPath, BINARY, ...args].map(quote).join(' ');
  const command = `stty cols ${options.columns} rows 40; ${line}`;
  return finished('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: options.cwd,
    env: { TERM: 'xterm', NO_COLOR: '', ...options.env },
  });
}

/** Runs the binary on a terminal, and types each answer when its question is there. Resolves with all that was shown. */
export function dialogue(
  args: readonly string[],
  { cwd, env = {}, columns }: RunOptions & { readonly columns: number },
  steps: readonly (readonly [string, string])[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const line = [process.execPath, BINARY, ...args].map(quote).join(' ');
    const child = spawn('script', ['--quiet', '--command', `stty cols ${columns} rows 50; ${line}`, '/dev/null'], {
      cwd,
      env: { ...process.env, TERM: 'xterm', CI: '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let shown = '';
    let from = 0;
    let at = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      for (let step = steps[at]; step !== undefined; step = steps[at]) {
        const found = shown.indexOf(step[0], from);
        if (found < 0) break;
        from = found + step[0].length;
        at++;
        child.stdin.write(step[1]);
      }
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), DIALOGUE_MS);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      if (at === steps.length) resolve(shown);
      else reject(new Error(`"${steps[at]?.[0]}" was not asked:\n${shown}`));
    });
  });
}

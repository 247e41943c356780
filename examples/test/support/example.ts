import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DevNode } from '@headframe/devnode';

/** An example that runs as a process of its own, from the build, as a reader would start it. */
export interface RunningExample {
  /** `stratum+tcp://host:port`, from what it printed. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with the first line of output (also one that came before) in which `pattern` is found. */
  line(pattern: RegExp): Promise<string>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `examples/dist/NAME.js` on a free port, with `node` as its coin node, and waits until it listens. */
export async function startExample(name: string, node?: DevNode): Promise<RunningExample> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-example-'));
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))], {
    env: {
      ...process.env,
      PORT: '0',
      DATA_FOLDER: folder,
      ...(node && { NODE_URL: node.url, NODE_USER: node.user, NODE_PASSWORD: node.password }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  let wake = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
      wake();
    });
  });

  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((text) => pattern.test(text));
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`${name} ended before it said ${pattern}: ${errors}`);
      await new Promise<void>((resolve) => {
        const before = wake;
        wake = () => {
          before();
          resolve();
        };
      });
    }
  };
  const stop = (): Promise<number | null> => {
    child.kill('SIGTERM');
    return exited;
  };
  const address = (await line(/^listening on /)).replace('listening on ', '');
  return { url: `stratum+tcp://${address}`, child, line, stop };
}

/** Runs `examples/dist/NAME.js` to its end; resolves with its lines. Rejects when it fails. */
export async function runProgram(name: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${errors}`);
  return text.trimEnd().split('\n');
}

import { describe, expect, it } from 'vitest';
import { HEADFRAME, poolFolder } from '../support/pool-process.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor, within } from '../support/wait.js';

describe.runIf(requireService('pool binary'))('headframe demo', { timeout: 120_000 }, () => {
  async function run(args: readonly string[], until: (demo: TrackedProcess) => Promise<void>): Promise<string> {
    const folder = poolFolder();
    const demo = startProcess(process.execPath, [HEADFRAME, 'demo', '--port', '0', ...args], { cwd: folder.path });
    try {
      await until(demo);
      expect(await within('the end of the demo', demo.exited, 90_000)).toEqual({ code: 0, signal: null });
      return demo.output();
    } catch (error) {
      throw new Error(`${String(error)}\n${demo.output().slice(-4_000)}`);
    } finally {
      await demo.stop(0);
      folder.remove();
    }
  }

  it('finds blocks, shows them, and ends after as many as it was told to', async () => {
    const output = await run(['--difficulty', '0.00001', '--blocks', '3'], async () => {});
    // One more may be found while it stops.
    expect(output.match(/ [0-9a-f]{64} /g)?.length).toBeGreaterThanOrEqual(3);
    expect(output).toMatch(/shares [1-9]/);
  });

  it('goes on until it is interrupted', async () => {
    await run(['--difficulty', '0.0001'], async (demo) => {
      await waitFor(
        'two blocks on the screen',
        () => (demo.output().match(/ [0-9a-f]{64} /g) ?? []).length >= 2,
        90_000,
      );
      demo.child.kill('SIGINT');
    });
  });
});

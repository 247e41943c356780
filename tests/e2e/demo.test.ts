import { describe, expect, it } from 'vitest';
import { HEADFRAME, poolFolder } from '../support/pool-process.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor, within } from '../support/wait.js';

describe.runIf(requireService('pool binary'))('headframe demo', () => {
  it('finds blocks, shows them, and ends with 0', async () => {
    const folder = poolFolder();
    const demo = startProcess(process.execPath, [HEADFRAME, 'demo'], { cwd: folder.path });
    try {
      await waitFor(
        'two blocks on the screen',
        () => (demo.output().match(/block.*[0-9a-f]{64}/gi) ?? []).length >= 2,
        90_000,
      );
      demo.child.kill('SIGINT');
      expect(await within('the end of the demo', demo.exited)).toEqual({ code: 0, signal: null });
    } catch (error) {
      throw new Error(`${String(error)}\n${demo.output().slice(-4_000)}`);
    } finally {
      await demo.stop(0);
      folder.remove();
    }
  });
});

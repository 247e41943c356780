import {
  decodeNotify,
  decodeReconnect,
  decodeSetDifficulty,
  decodeSetVersionMask,
  encodeNotify,
} from '@headframe/stratum-v1';
import { check, parseJson, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

export const notifyTarget: FuzzTarget = {
  name: 'notify',
  promise: 'what a pool pushes is decoded or refused with a PoolError, and a notify survives being written again',
  maxBytes: 4000,
  dictionary: ['"', '00', 'true', 'false', '[]', `"${'ab'.repeat(32)}"`, '"1fffe000"', '"pool.example","3333","0"'],
  run(bytes) {
    const parsed = parseJson(bytes);
    if (parsed === undefined) return 'no JSON';
    const params = parsed.value;
    tolerate(['invalid_data'], () => decodeSetDifficulty(params));
    tolerate(['invalid_data'], () => decodeSetVersionMask(params));
    const { waitSeconds } = decodeReconnect(params);
    check(waitSeconds >= 0 && waitSeconds <= 3600, 'a wait within bounds');
    let problem = '';
    const notify = tolerate(['invalid_data', 'invalid_hex'], () => {
      try {
        return decodeNotify(params);
      } catch (error) {
        problem = error instanceof Error ? error.message.replace(/\d+/g, 'n') : '';
        throw error;
      }
    });
    if (notify === undefined) return problem;
    // A pool may use any text as job id; ours are hex.
    const line = tolerate(['invalid_argument'], () => encodeNotify(notify));
    if (line === undefined) return 'notify with a foreign id';
    const again: { params: unknown } = JSON.parse(Buffer.from(line).toString('latin1'));
    check(JSON.stringify(decodeNotify(again.params)) === JSON.stringify(notify), 'the same after writing and reading');
    return `notify with ${notify.merkleBranch.length / 32} steps`;
  },
};

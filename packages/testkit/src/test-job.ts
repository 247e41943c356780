import { resolveCoin } from '@headframe/coins';
import type { DevNode } from '@headframe/devnode';
import { buildJob, type JobRecord, parseTemplate } from '@headframe/mining';
import { asciiToBytes, hexToBytes } from '@headframe/primitives';

export interface TestJobOptions {
  /** Whose template the job is for. */
  readonly node: DevNode;
  /** Unsigned, below 2^31; never the same twice. */
  readonly id: number;
  /** True for the first job on a new block. Default true. */
  readonly clean?: boolean;
  /** Which chain the node runs. Default `bitcoin`. */
  readonly coin?: 'bitcoin' | 'litecoin';
  /** Unix milliseconds. Default: the template's time. */
  readonly nowMs?: number;
}

/** OP_TRUE: anybody may spend it. */
const SCRIPT = hexToBytes('51');

/**
 * A job for `server.publishJob()`, on the template that a development node has at the moment: for tests of a bare
 * server, without a job manager.
 */
export function createTestJob(options: TestJobOptions): JobRecord {
  const { node, id, clean = true } = options;
  const coin = resolveCoin(options.coin ?? 'bitcoin', 'regtest');
  const template = parseTemplate(node.template(), coin);
  return buildJob(template, {
    id,
    coin,
    variants: [{ extranonceLength: 12, outputs: [{ script: SCRIPT, parts: 1 }] }],
    poolTag: asciiToBytes('/test/'),
    nowMs: options.nowMs ?? template.currentTime * 1000,
    clean,
  });
}

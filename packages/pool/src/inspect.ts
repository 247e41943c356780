import type { ProposalVerdict } from '@headframe/daemon';
import type { BlockSink, JobRecord } from '@headframe/mining';
import { createDirectBus } from '@headframe/mining';
import { errorMessage, silentLogger, systemClock } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';
import { createPoolJobs, createPoolNodes, judgeCurrentJob } from './core.js';
import { type PoolSetup, setUp } from './setup.js';

/** How long `inspectPool` waits for a template. */
const TEMPLATE_TIMEOUT_MS = 15_000;

export interface NodeReport {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly version: string | undefined;
  readonly height: number | undefined;
}

/** What a pool would do with a configuration. */
export interface PoolReport {
  readonly setup: PoolSetup;
  readonly nodes: readonly NodeReport[];
  /** The job miners would get; undefined when no node gives a template. */
  readonly job: JobRecord | undefined;
  /** Why there is no job. */
  readonly problem: string | undefined;
  /** What the node says of a block built like that job. */
  readonly verdict: ProposalVerdict | undefined;
}

const NO_SINK: BlockSink = { submit: () => {}, keep: () => {} };

/**
 * Tries a configuration without opening a port or writing a file: asks the nodes, builds the job of the moment and has
 * a node judge it.
 * @throws PoolError `invalid_config`
 */
export async function inspectPool(config: PoolConfig): Promise<PoolReport> {
  const setup = setUp(config);
  const modules = { log: silentLogger, clock: systemClock, bus: createDirectBus() };
  const nodes = createPoolNodes(config, setup.coin, modules);
  const jobs = createPoolJobs(config, { current: setup }, { nodes, sink: NO_SINK }, modules);
  try {
    await nodes.start();
    const reports = await Promise.all(nodes.nodes.map((node) => reportNode(node)));
    let problem: string | undefined;
    const signal = AbortSignal.timeout(TEMPLATE_TIMEOUT_MS);
    if (!nodes.status.ready) problem = nodes.status.reason ?? 'no node is ready';
    else await jobs.start(signal).catch((error: unknown) => (problem = errorMessage(error)));
    if (jobs.current === undefined) problem ??= jobs.refused?.error.message ?? 'no node gave a template';
    const verdict = await judgeCurrentJob(jobs, nodes, setup.coin);
    return { setup, nodes: reports, job: jobs.current, problem, verdict };
  } finally {
    await jobs.close();
    nodes.close();
    await modules.bus.close();
  }
}

interface CallableNode {
  readonly name: string;
  readonly url: string;
  readonly state: { readonly kind: string };
  call(method: string): Promise<unknown>;
}

async function reportNode(node: CallableNode): Promise<NodeReport> {
  const ask = async (method: string, key: string): Promise<unknown> => {
    const answer = await node.call(method).catch(() => undefined);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>)[key] : undefined;
  };
  const [height, version] = await Promise.all([
    ask('getblockchaininfo', 'blocks'),
    ask('getnetworkinfo', 'subversion'),
  ]);
  const reason = 'reason' in node.state ? `: ${String(node.state.reason)}` : '';
  return {
    name: node.name,
    url: node.url,
    state: `${node.state.kind}${reason}`,
    version: version === undefined ? undefined : String(version),
    height: typeof height === 'number' ? height : undefined,
  };
}

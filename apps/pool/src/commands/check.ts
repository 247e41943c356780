import { inspectPool, type PoolConfig, type PoolReport, parseConfig } from '@headframe/pool';
import { u32ToHex } from '@headframe/primitives';
import type { Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { loadConfig } from '../load-config.js';

/** Validates a configuration and its nodes, and tells what would happen. */
export const check: Command = {
  name: 'check',
  summary: 'Validate a configuration and its nodes, and tell what would happen. Opens no port, changes nothing.',
  options: {
    config: { type: 'string', short: 'c', value: 'FILE', help: 'Configuration: JSON, JSONC or YAML.' },
    json: { type: 'boolean', help: 'Print the result as JSON.' },
  },
  details: `
Exit codes: 0 all is well, 69 no node gives a template, 78 the configuration is wrong or the node would reject the blocks.`,
  async run(args) {
    const config = parseConfig(await loadConfig(args.text('config'), process.env));
    const report = await inspectPool(config);
    process.stdout.write(
      args.flag('json') ? `${JSON.stringify(summary(config, report), null, 2)}\n` : text(config, report),
    );
    if (report.verdict?.kind === 'rejected') return EXIT.config;
    return report.job === undefined ? EXIT.unavailable : EXIT.ok;
  },
};

function difficultyOf(listener: PoolConfig['listeners'][number]): string {
  const { difficulty } = listener;
  if (typeof difficulty === 'number') return `fixed ${difficulty}`;
  const { start, min, max, target } = difficulty;
  return `vardiff from ${start}, ${min ?? 'lowest'} to ${max ?? 'network'}, a share every ${target} s`;
}

function verdictText(report: PoolReport): string {
  const { verdict } = report;
  if (verdict === undefined) return 'not asked';
  switch (verdict.kind) {
    case 'accepted':
      return 'accepted: blocks built like this are valid';
    case 'rejected':
      return `REJECTED: ${verdict.reason}`;
    case 'stale':
      return 'not judged: the chain moved on meanwhile';
    default:
      return `not judged: ${verdict.reason}`;
  }
}

function text(config: PoolConfig, report: PoolReport): string {
  const { setup, nodes, job } = report;
  const { coin } = setup;
  const rows: [string, string][] = [
    ['coin', `${coin.name} ${coin.network}, ${coin.algorithm}, versions roll ${u32ToHex(setup.versionMask)}`],
    ['payout', `${config.payout.scheme} to ${config.payout.address}`],
    ...config.payout.fees.map(({ address, percent }): [string, string] => ['fee', `${percent} % to ${address}`]),
    ...config.listeners.map((listener): [string, string] => [
      'listen',
      `${listener.host}:${listener.port}${listener.tls === undefined ? '' : ' with TLS'}, ${difficultyOf(listener)}`,
    ]),
    ...nodes.map((node, i): [string, string] => [
      'node',
      `${node.name} ${node.url}: ${node.state}${
        // Only `start` runs it: here it is no fault that it is away.
        node.state !== 'ready' && config.daemons[i]?.supervise !== undefined ? ' (`start` runs this node)' : ''
      }${node.version === undefined ? '' : `, ${node.version}`}${node.height === undefined ? '' : `, height ${node.height}`}`,
    ]),
  ];
  if (job === undefined) rows.push(['job', `none: ${report.problem ?? 'no template'}`]);
  else {
    const [variant] = job.variants;
    const bytes =
      (variant?.coinbase1.length ?? 0) + (variant?.coinbase2.length ?? 0) + (variant?.extranonceLength ?? 0);
    rows.push([
      'job',
      `height ${job.height}, ${job.merkleBranch.length / 32} merkle steps, coinbase ${bytes} bytes, network difficulty ${job.networkDifficulty.toPrecision(6)}`,
    ]);
    rows.push(['block', verdictText(report)]);
  }
  return rows.map(([left, right]) => `${left.padEnd(8)}${right}\n`).join('');
}

function summary(config: PoolConfig, report: PoolReport): object {
  return {
    coin: report.setup.coin.name,
    network: report.setup.coin.network,
    payout: config.payout.address,
    listeners: config.listeners.map(({ host, port }) => ({ host, port })),
    nodes: report.nodes,
    height: report.job?.height,
    problem: report.problem,
    verdict: report.verdict,
  };
}

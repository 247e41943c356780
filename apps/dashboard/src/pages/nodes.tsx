import type { NodesInfo, PoolInfo, TemplateInfo } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { Card, Facts, PageHead, Tile, Tiles } from '../components/card.js';
import { Empty, Loaded } from '../components/states.js';
import { Chip } from '../components/status.js';
import { type Column, Table } from '../components/table.js';
import { CopyButton, Hash, Money, Time } from '../components/text.js';
import { count, scaledText, UNKNOWN } from '../format/number.js';
import { duration } from '../format/time.js';
import { useApi, useNow } from '../services.js';

export function Nodes(): JSX.Element {
  const pool = useApi(endpoints.pool).data;
  const nodes = useApi(endpoints.nodes);
  const template = useApi(endpoints.template);
  return (
    <>
      <PageHead
        title="Nodes and work"
        lead="Whether the pool's nodes and storage are well, and the block that miners work on at this moment, so that everybody can check what the coinbase pays."
      />
      <Health pool={pool} template={template.data} />
      <Card title="Coin nodes" flush>
        <Loaded answer={nodes} lines={3}>
          {(info) => <NodeTable info={info} />}
        </Loaded>
      </Card>
      <Loaded answer={template} lines={10}>
        {(info) => <Work info={info} symbol={pool?.symbol} />}
      </Loaded>
    </>
  );
}

const STORAGE = {
  ok: ['good', 'Stored'],
  failing: ['bad', 'Failing'],
  off: ['quiet', 'Off'],
} as const;

function Health(props: {
  readonly pool: PoolInfo | undefined;
  readonly template: TemplateInfo | undefined;
}): JSX.Element {
  const { pool, template } = props;
  const now = useNow();
  return (
    <Tiles label="Health">
      <div class="tile">
        <dt>Node</dt>
        <dd class="figure figure-long">
          {pool === undefined ? (
            <span class="skeleton skeleton-figure" />
          ) : pool.node.ready ? (
            <Chip tone="good" text="Ready" />
          ) : (
            <Chip tone="bad" text="Not ready" />
          )}
        </dd>
        <dd class="tile-more">{pool?.node.reason}</dd>
      </div>
      <div class="tile">
        <dt>Shares and statistics</dt>
        <dd class="figure figure-long">
          {pool === undefined ? (
            <span class="skeleton skeleton-figure" />
          ) : (
            <Chip tone={STORAGE[pool.storage.state][0]} text={STORAGE[pool.storage.state][1]} />
          )}
        </dd>
        <dd class="tile-more">{pool?.storage.reason}</dd>
      </div>
      <Tile
        label="Age of the work"
        isLong
        value={template === undefined ? undefined : duration(Math.max(0, now - template.createdMs))}
        more={template && `job ${template.jobId}`}
      />
      <Tile
        label="New miners"
        isLong
        value={pool === undefined ? undefined : pool.isPaused ? 'Turned away' : 'Welcome'}
        more={pool?.isPaused ? 'the pool is paused' : ''}
      />
    </Tiles>
  );
}

const NODE_COLUMNS: readonly Column<NodesInfo['nodes'][number]>[] = [
  { name: 'name', label: 'Node', cell: (node) => node.name },
  {
    name: 'state',
    label: 'State',
    cell: (node) => (node.up ? <Chip tone="good" text="Up" /> : <Chip tone="bad" text="Down" />),
  },
  { name: 'detail', label: 'Detail', cell: (node) => <span class="muted">{node.detail || UNKNOWN}</span> },
];

function NodeTable({ info }: { readonly info: NodesInfo }): JSX.Element {
  if (info.nodes.length === 0) return <Empty title="No word of any node yet">The pool is starting.</Empty>;
  return <Table caption="Coin nodes" columns={NODE_COLUMNS} items={info.nodes} keyOf={(node) => node.name} />;
}

function Work({ info, symbol }: { readonly info: TemplateInfo; readonly symbol: string | undefined }): JSX.Element {
  return (
    <>
      <Card title={`Block ${count(info.height)}, being mined`} tools={<Time ms={info.createdMs} />}>
        <Facts
          isLeft
          items={[
            ['Job', <code key="job">{info.jobId}</code>],
            ['On block', <Hash key="previous" text={info.previousHash} head={12} />],
            ['Reward', <Money key="reward" amount={info.reward} symbol={symbol} />],
            ['Transactions', info.transactions === null ? UNKNOWN : `${count(info.transactions)} and the coinbase`],
            ['Network difficulty', scaledText(info.networkDifficulty)],
            ['Network target', <Hash key="target" text={info.networkTarget} head={24} />],
            [
              'Version, bits',
              <code key="bits">
                {info.version}, {info.nbits}
              </code>,
            ],
            [
              'Merkle branch',
              info.merkleBranch.length === 0 ? (
                'empty: the coinbase is alone'
              ) : (
                <Branch key="branch" steps={info.merkleBranch} />
              ),
            ],
          ]}
        />
      </Card>
      {info.variants.map((variant) => (
        <Variant key={variant.key} variant={variant} symbol={symbol} isOnly={info.variants.length === 1} />
      ))}
    </>
  );
}

function Branch({ steps }: { readonly steps: readonly string[] }): JSX.Element {
  return (
    <details>
      <summary>{steps.length} steps</summary>
      <ol class="small">
        {steps.map((step) => (
          <li key={step}>
            <code>{step}</code>
          </li>
        ))}
      </ol>
    </details>
  );
}

type VariantJson = TemplateInfo['variants'][number];

const KINDS: Readonly<Record<VariantJson['outputs'][number]['kind'], string>> = {
  payment: 'Payment',
  'witness-commitment': 'Witness commitment',
  data: 'Data',
};

function Variant(props: {
  readonly variant: VariantJson;
  readonly symbol: string | undefined;
  readonly isOnly: boolean;
}): JSX.Element {
  const { variant, symbol } = props;
  const columns: readonly Column<VariantJson['outputs'][number]>[] = [
    { name: 'kind', label: 'Output', cell: (output) => KINDS[output.kind] },
    {
      name: 'address',
      label: 'Address or script',
      isWide: true,
      cell: (output) => <code>{output.address ?? output.script}</code>,
    },
    {
      name: 'amount',
      label: 'Amount',
      isNumber: true,
      cell: (output) => <Money amount={output.amount} symbol={symbol} />,
    },
  ];
  return (
    <Card title={props.isOnly ? 'Coinbase' : `Coinbase ${variant.key}`} flush>
      <Table
        caption={`Outputs of coinbase ${variant.key}`}
        columns={columns}
        items={variant.outputs}
        keyOf={(output) => `${output.script} ${output.amount.units}`}
      />
      <details class="card-body">
        <summary>The coinbase transaction in hex</summary>
        <p class="muted small">
          A miner puts its extranonce of {variant.extranonceLength} bytes between the two halves and hashes the whole.
        </p>
        <Half name="First half" hex={variant.coinbase1} />
        <Half name="Second half" hex={variant.coinbase2} />
      </details>
    </Card>
  );
}

function Half({ name, hex }: { readonly name: string; readonly hex: string }): JSX.Element {
  return (
    <div class="paste">
      <pre>{hex}</pre>
      <CopyButton text={hex} label={name.toLowerCase()} />
    </div>
  );
}

import type { AccountItem, MinerItem } from '@headframe/http';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { endpoints } from '../api/endpoints.js';
import { Card, PageHead } from '../components/card.js';
import { Pager, usePaging } from '../components/pager.js';
import { Empty, Loaded } from '../components/states.js';
import { type Column, Table } from '../components/table.js';
import { AccountLink, Time, WorkerLink } from '../components/text.js';
import { count, difficultyText, hashrateText, percent, scaledText, UNKNOWN } from '../format/number.js';
import { middle } from '../format/text.js';
import { hrefOf } from '../route.js';
import { useApi } from '../services.js';
import { type Direction, type Sorting, sortBy, sorted } from '../state/sort.js';

const MINERS_PER_PAGE = 50;

type MinerColumn = 'worker' | 'account' | 'hashrate' | 'difficulty' | 'accepted' | 'rejected' | 'lastShare' | 'agent';

const MINER_KEYS: Readonly<Record<MinerColumn, (item: MinerItem) => number | string | null>> = {
  worker: (item) => item.worker,
  account: (item) => item.account,
  hashrate: (item) => item.hashrate,
  difficulty: (item) => item.difficulty,
  accepted: (item) => item.accepted,
  rejected: (item) => item.rejected,
  lastShare: (item) => item.lastShareMs,
  agent: (item) => item.agent,
};

const MINER_COLUMNS: readonly Column<MinerItem, MinerColumn>[] = [
  {
    name: 'worker',
    label: 'Worker',
    sort: 'ascending',
    cell: ({ account, worker, workers }) =>
      account === null || worker === null ? (
        <span class="muted">not authorized</span>
      ) : (
        <>
          <WorkerLink account={account} worker={worker} />
          {workers > 1 && <span class="muted"> +{workers - 1}</span>}
        </>
      ),
  },
  {
    name: 'account',
    label: 'Account',
    sort: 'ascending',
    cell: ({ account }) => (account === null ? UNKNOWN : <AccountLink account={account} />),
  },
  {
    name: 'hashrate',
    label: 'Hashrate',
    isNumber: true,
    sort: 'descending',
    cell: (item) => hashrateText(item.hashrate),
  },
  {
    name: 'difficulty',
    label: 'Difficulty',
    isNumber: true,
    sort: 'descending',
    cell: (item) => difficultyText(item.difficulty),
  },
  { name: 'accepted', label: 'Accepted', isNumber: true, sort: 'descending', cell: (item) => count(item.accepted) },
  {
    name: 'rejected',
    label: 'Rejected',
    isNumber: true,
    sort: 'descending',
    cell: ({ accepted, rejected }) => (
      <span title={percent(rejected / Math.max(1, accepted + rejected))}>{count(rejected)}</span>
    ),
  },
  { name: 'lastShare', label: 'Last share', sort: 'descending', cell: (item) => <Time ms={item.lastShareMs} /> },
  {
    name: 'agent',
    label: 'Software',
    sort: 'ascending',
    cell: ({ agent, tls }) => (
      <span title={agent ?? ''}>
        {agent === null ? UNKNOWN : middle(agent, 18, 4)}
        {tls && <span class="muted"> TLS</span>}
      </span>
    ),
  },
];

export function Miners(): JSX.Element {
  return (
    <>
      <PageHead title="Miners" lead="Who mines here now, and the accounts with the most work of the last day." />
      <TopAccounts />
      <Connections />
    </>
  );
}

function Connections(): JSX.Element {
  const paging = usePaging();
  const answer = useApi(endpoints.miners(MINERS_PER_PAGE, paging.after));
  const [sorting, setSorting] = useState<Sorting<MinerColumn>>({ column: 'hashrate', direction: 'descending' });
  const onSort = (column: MinerColumn, first: Direction): void => setSorting((now) => sortBy(now, column, first));
  return (
    <Card title="Connections" flush>
      <Loaded answer={answer} lines={10}>
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <NoMiner />
            ) : (
              <Table
                caption="Connections of miners"
                columns={MINER_COLUMNS}
                items={sorted(items, MINER_KEYS[sorting.column], sorting.direction)}
                keyOf={(item) => item.session}
                sorting={sorting}
                onSort={onSort}
              />
            )}
            <Pager paging={paging} next={next} what="miners" back="Previous" forward="Next" />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function NoMiner(): JSX.Element {
  const url = useApi(endpoints.connect).data?.listeners[0]?.url;
  return (
    <Empty title="No miner is connected">
      Point one at <code>{url ?? 'this pool'}</code>. <a href={hrefOf({ page: 'connect' })}>How to connect</a>
    </Empty>
  );
}

const ACCOUNT_COLUMNS: readonly Column<AccountItem>[] = [
  { name: 'account', label: 'Account', cell: (item) => <AccountLink account={item.account} /> },
  { name: 'now', label: '10 min', isNumber: true, cell: (item) => hashrateText(item.hashrate.tenMinutes) },
  { name: 'hour', label: '1 h', isNumber: true, cell: (item) => hashrateText(item.hashrate.hour) },
  { name: 'day', label: '24 h', isNumber: true, cell: (item) => hashrateText(item.hashrate.day) },
  { name: 'best', label: 'Best share', isNumber: true, cell: (item) => scaledText(item.shares.best) },
  { name: 'last', label: 'Last share', cell: (item) => <Time ms={item.lastMs} /> },
];

function TopAccounts(): JSX.Element {
  const answer = useApi(endpoints.topAccounts);
  return (
    <Card title="Top accounts" flush>
      <Loaded answer={answer} lines={5}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No work in the last day">Accounts appear here with their first share.</Empty>
          ) : (
            <Table
              caption="Accounts with the most work of the last day"
              columns={ACCOUNT_COLUMNS}
              items={items}
              keyOf={(item) => item.account}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

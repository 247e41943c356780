import type { AccountInfo, BalanceJson, WorkerItem } from '@headframe/http';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { endpoints } from '../api/endpoints.js';
import { Card, Facts, PageHead, Tile, Tiles } from '../components/card.js';
import { HashrateCard } from '../components/hashrate-card.js';
import { Pager, type Paging, usePaging } from '../components/pager.js';
import { SharesCard } from '../components/shares-card.js';
import { Empty, Loaded } from '../components/states.js';
import { WorkerState } from '../components/status.js';
import { type Column, Table } from '../components/table.js';
import { CopyButton, Hash, Money, Time, WorkerLink } from '../components/text.js';
import { coins, isZero } from '../format/amount.js';
import { count, hashrate, hashrateText, percent, scaled } from '../format/number.js';
import { middle, plural } from '../format/text.js';
import { hrefOf } from '../route.js';
import { useApi, useServices } from '../services.js';
import { addRecent } from '../state/recent.js';
import { AccountPayments, Statement } from './account-money.js';

export function Account({ account }: { readonly account: string }): JSX.Element {
  const { storage } = useServices();
  const paging = usePaging();
  const pool = useApi(endpoints.pool).data;
  const answer = useApi(endpoints.account(account, paging.after));
  const isFound = answer.data !== undefined;
  useEffect(() => {
    if (isFound) addRecent(storage, account);
  }, [isFound, storage, account]);
  return (
    <>
      <PageHead
        title={<span title={account}>Account {middle(account, 12, 8)}</span>}
        tools={<CopyButton text={account} label="the account" />}
      />
      {answer.error?.code === 'not_found' ? (
        <NotFound account={account} />
      ) : (
        <Loaded answer={answer} lines={12}>
          {(info) => <Found info={info} symbol={pool?.symbol} hasPayments={info.balance !== null} paging={paging} />}
        </Loaded>
      )}
    </>
  );
}

function NotFound({ account }: { readonly account: string }): JSX.Element {
  const dot = account.indexOf('.');
  const bare = dot > 0 ? account.slice(0, dot) : undefined;
  return (
    <Card title="Not known here">
      <Empty title="This account has not sent a share yet">
        The name is compared letter by letter. New accounts appear a few seconds after their first share.{' '}
        {bare !== undefined && (
          <>
            Without the worker's name it would be{' '}
            <a href={hrefOf({ page: 'account', account: bare })}>{middle(bare)}</a>.{' '}
          </>
        )}
        <a href={hrefOf({ page: 'connect' })}>How to connect</a>
      </Empty>
    </Card>
  );
}

function Found(props: {
  readonly info: AccountInfo;
  readonly symbol: string | undefined;
  readonly hasPayments: boolean;
  readonly paging: Paging;
}): JSX.Element {
  const { info, symbol, hasPayments, paging } = props;
  const { account } = info;
  return (
    <>
      <Tiles label="Hashrate of the account">
        <Tile label="Hashrate, 10 min" value={hashrate(info.hashrate.tenMinutes)} />
        <Tile label="1 h" value={hashrate(info.hashrate.hour)} />
        <Tile label="24 h" value={hashrate(info.hashrate.day)} />
        <Tile label="Workers" value={count(info.workerCount)} more={plural(info.connections, 'connection')} />
        <Tile label="Best share" value={scaled(info.shares.best)} more={<LastShare ms={info.lastMs} />} />
      </Tiles>
      {info.balance !== null && <Balances balance={info.balance} symbol={symbol} />}
      <HashrateCard subject={{ account }} empty="The line begins two minutes after the first share." />
      <Workers info={info} paging={paging} />
      {hasPayments && <AccountPayments account={account} symbol={symbol} />}
      {hasPayments && <Statement account={account} symbol={symbol} />}
      <div class="halves">
        <SharesCard shares={info.shares} />
        <Card title="Settings">
          <Facts
            items={[
              [
                'Paid to',
                info.address === null ? (
                  'no address known'
                ) : (
                  <Hash key="address" text={info.address} link={info.link} />
                ),
              ],
              ['Least payment', <Money key="minimum" amount={info.minimumPayout} symbol={symbol} />],
              ['Donation', percent(info.donationPercent / 100)],
              ['First share', <Time key="first" ms={info.firstMs} />],
            ]}
          />
        </Card>
      </div>
    </>
  );
}

function LastShare({ ms }: { readonly ms: number | null }): JSX.Element {
  return ms === null ? (
    <>no share yet</>
  ) : (
    <>
      last share <Time ms={ms} />
    </>
  );
}

function Balances({
  balance,
  symbol,
}: {
  readonly balance: BalanceJson;
  readonly symbol: string | undefined;
}): JSX.Element {
  const unit = symbol ?? '';
  const value = (amount: BalanceJson['paid']): { value: string; unit: string } => ({
    value: coins(amount.coins),
    unit,
  });
  return (
    <Tiles label="Balances">
      <Tile label="Immature" isLong value={value(balance.immature)} more="from blocks that are not mature" />
      <Tile label="Available" isLong value={value(balance.available)} more="to be paid" />
      <Tile
        label="Reserved"
        isLong
        value={value(balance.reserved)}
        more={isZero(balance.reserved.coins) ? 'no payment under way' : 'in payments under way'}
      />
      <Tile label="Paid" isLong value={value(balance.paid)} more="so far" />
    </Tiles>
  );
}

function Workers({ info, paging }: { readonly info: AccountInfo; readonly paging: Paging }): JSX.Element {
  const { account, workers } = info;
  const columns: readonly Column<WorkerItem>[] = [
    { name: 'worker', label: 'Worker', cell: (item) => <WorkerLink account={account} worker={item.worker} /> },
    { name: 'state', label: 'State', cell: (item) => <WorkerState state={item.state} /> },
    { name: 'now', label: '10 min', isNumber: true, cell: (item) => hashrateText(item.hashrate.tenMinutes) },
    { name: 'hour', label: '1 h', isNumber: true, cell: (item) => hashrateText(item.hashrate.hour) },
    { name: 'day', label: '24 h', isNumber: true, cell: (item) => hashrateText(item.hashrate.day) },
    { name: 'accepted', label: 'Accepted', isNumber: true, cell: (item) => count(item.shares.accepted) },
    { name: 'rejected', label: 'Rejected', isNumber: true, cell: (item) => <Rejected item={item} /> },
    { name: 'last', label: 'Last share', cell: (item) => <Time ms={item.lastMs} /> },
  ];
  return (
    <Card title="Workers" flush tools={<span class="muted small">{plural(info.workerCount, 'worker')}</span>}>
      {workers.items.length === 0 ? (
        <Empty title="No worker yet">
          Name one by a dot behind the username: <code>{middle(account)}.rig1</code>
        </Empty>
      ) : (
        <Table caption="Workers" columns={columns} items={workers.items} keyOf={(item) => item.worker} />
      )}
      <Pager paging={paging} next={workers.next} what="workers" back="Previous" forward="Next" />
    </Card>
  );
}

function Rejected({ item }: { readonly item: WorkerItem }): JSX.Element {
  const { accepted, stale, duplicate, low, invalid } = item.shares;
  const rejected = stale + duplicate + low + invalid;
  return (
    <span title={`${count(stale)} stale, ${count(duplicate)} duplicate, ${count(low)} low, ${count(invalid)} invalid`}>
      {percent(rejected === 0 ? 0 : rejected / (accepted + rejected))}
    </span>
  );
}

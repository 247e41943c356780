import type { MinerItem, WorkerInfo } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { Card, PageHead, Tile, Tiles } from '../components/card.js';
import { HashrateCard } from '../components/hashrate-card.js';
import { SharesCard } from '../components/shares-card.js';
import { Empty, Loaded } from '../components/states.js';
import { WorkerState } from '../components/status.js';
import { type Column, Table } from '../components/table.js';
import { AccountLink, Time, workerName } from '../components/text.js';
import { count, difficultyText, hashrate, hashrateText, UNKNOWN } from '../format/number.js';
import { plural } from '../format/text.js';
import { useApi } from '../services.js';

const CONNECTION_COLUMNS: readonly Column<MinerItem>[] = [
  { name: 'agent', label: 'Software', cell: (item) => item.agent ?? UNKNOWN },
  { name: 'protocol', label: 'Protocol', cell: (item) => `${item.protocol}${item.tls ? ' over TLS' : ''}` },
  { name: 'connected', label: 'Connected', cell: (item) => <Time ms={item.connectedMs} /> },
  { name: 'difficulty', label: 'Difficulty', isNumber: true, cell: (item) => difficultyText(item.difficulty) },
  { name: 'hashrate', label: 'Hashrate', isNumber: true, cell: (item) => hashrateText(item.hashrate) },
  { name: 'accepted', label: 'Accepted', isNumber: true, cell: (item) => count(item.accepted) },
  { name: 'rejected', label: 'Rejected', isNumber: true, cell: (item) => count(item.rejected) },
  { name: 'last', label: 'Last share', cell: (item) => <Time ms={item.lastShareMs} /> },
];

export function Worker({ account, worker }: { readonly account: string; readonly worker: string }): JSX.Element {
  const answer = useApi(endpoints.worker(account, worker));
  return (
    <>
      <PageHead
        title={`Worker ${workerName(account, worker)}`}
        lead={
          <>
            Of account <AccountLink account={account} />
          </>
        }
      />
      {answer.error?.code === 'not_found' ? (
        <Card title="Not known here">
          <Empty title="This worker has not sent a share yet">
            It appears a few seconds after its first share. See the workers of <AccountLink account={account} />.
          </Empty>
        </Card>
      ) : (
        <Loaded answer={answer} lines={10}>
          {(info) => <Found info={info} account={account} worker={worker} />}
        </Loaded>
      )}
    </>
  );
}

function Found(props: { readonly info: WorkerInfo; readonly account: string; readonly worker: string }): JSX.Element {
  const { worker, miners } = props.info;
  return (
    <>
      <Tiles label="The worker now">
        <div class="tile">
          <dt>State</dt>
          <dd class="figure">
            <WorkerState state={worker.state} />
          </dd>
          <dd class="tile-more">{plural(worker.connections, 'connection')}</dd>
        </div>
        <Tile label="Hashrate, 10 min" value={hashrate(worker.hashrate.tenMinutes)} />
        <Tile label="1 h" value={hashrate(worker.hashrate.hour)} />
        <Tile label="24 h" value={hashrate(worker.hashrate.day)} />
      </Tiles>
      <HashrateCard
        subject={{ account: props.account, worker: props.worker }}
        empty="The line begins two minutes after the first share."
      />
      <Card title="Connections" flush>
        {miners.length === 0 ? (
          <Empty title="Not connected">
            Last share <Time ms={worker.lastMs} />. Check its power, its network and the address of the pool.
          </Empty>
        ) : (
          <Table
            caption="Connections of the worker"
            columns={CONNECTION_COLUMNS}
            items={miners}
            keyOf={(item) => item.session}
          />
        )}
      </Card>
      <div class="halves">
        <SharesCard shares={worker.shares} />
      </div>
    </>
  );
}

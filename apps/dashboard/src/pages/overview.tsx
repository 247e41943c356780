import type { PoolInfo } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { BlocksTable } from '../components/blocks-table.js';
import { Card, Facts, PageHead, Tile, Tiles } from '../components/card.js';
import { HashrateCard } from '../components/hashrate-card.js';
import { Empty, Loaded } from '../components/states.js';
import { Money, Time } from '../components/text.js';
import { count, hashrate, hashrateText, percent, scaled, scaledText } from '../format/number.js';
import { capital, plural } from '../format/text.js';
import { duration } from '../format/time.js';
import { hrefOf } from '../route.js';
import { type Answer, useApi, useNow } from '../services.js';
import { schemeWords } from '../state/words.js';

export function Overview(): JSX.Element {
  const pool = useApi(endpoints.pool);
  const connect = useApi(endpoints.connect);
  const url = connect.data?.listeners[0]?.url;
  return (
    <>
      <PageHead title="Overview" />
      {pool.error !== undefined && <Loaded answer={pool}>{() => null}</Loaded>}
      <PoolTiles pool={pool.data} />
      <HashrateCard
        subject={{}}
        empty={
          <>
            Point a miner at <code>{url ?? 'this pool'}</code> and the line begins within two minutes.{' '}
            <a href={hrefOf({ page: 'connect' })}>How to connect</a>
          </>
        }
      />
      <div class="columns">
        <LastBlocks symbol={pool.data?.symbol} />
        <PoolFacts pool={pool} />
      </div>
    </>
  );
}

function PoolTiles({ pool }: { readonly pool: PoolInfo | undefined }): JSX.Element {
  const now = useNow();
  const round = pool?.round ?? null;
  return (
    <Tiles label="The pool now">
      <Tile
        label="Hashrate"
        value={pool && hashrate(pool.hashrate?.tenMinutes ?? (pool.storage.state === 'off' ? null : 0))}
        more={
          pool?.hashrate && `${hashrateText(pool.hashrate.hour)} in 1 h, ${hashrateText(pool.hashrate.day)} in 24 h`
        }
      />
      <Tile
        label="Workers"
        value={pool && count(pool.active?.workers ?? pool.workers)}
        more={
          pool &&
          `${pool.active === null ? '' : `${plural(pool.active.accounts, 'account')}, `}${plural(pool.sessions, 'connection')}`
        }
      />
      <div class="tile">
        <dt>Round effort</dt>
        <dd class="figure">
          {pool === undefined ? <span class="skeleton skeleton-figure" /> : percent(round?.effort)}
        </dd>
        <dd class="tile-more">
          <EffortBar effort={round?.effort ?? 0} />
          {round !== null && `since ${duration(now - round.openedMs)}, ${count(round.accepted)} shares`}
        </dd>
      </div>
      <Tile
        label="Luck"
        value={pool && percent(pool.luck?.luck)}
        more={
          pool && (pool.luck?.luck ? `over ${plural(pool.luck.blocks, 'block')}; 100 % is fair` : 'known after a block')
        }
      />
      <Tile
        label="Network difficulty"
        value={pool && (pool.chain.difficulty === null ? scaled(Number.NaN) : scaled(pool.chain.difficulty))}
        more={pool && `network: ${hashrateText(pool.chain.hashrate)}`}
      />
      <Tile
        label="Mining block"
        value={pool && count(pool.chain.height)}
        more={
          pool &&
          (pool.lastBlock === null ? (
            'no block found yet'
          ) : (
            <>
              last found <Time ms={pool.lastBlock.foundMs} />
            </>
          ))
        }
      />
    </Tiles>
  );
}

/** Twice the expected work fills the bar; the mark in its middle is what was to be expected. */
function EffortBar({ effort }: { readonly effort: number }): JSX.Element {
  const part = Math.min(1, Math.max(0, effort / 2));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <meter> cannot be given the mark in its middle.
    <div
      class="bar bar-mark"
      role="meter"
      aria-label="Effort of the round; 100 percent is what was to be expected"
      aria-valuemin={0}
      aria-valuemax={200}
      aria-valuenow={Math.round(Math.min(200, effort * 100))}
      aria-valuetext={percent(effort)}
    >
      <span style={{ width: `${(part * 100).toFixed(1)}%` }} />
    </div>
  );
}

function LastBlocks({ symbol }: { readonly symbol: string | undefined }): JSX.Element {
  const answer = useApi(endpoints.blocks(8));
  return (
    <Card title="Last blocks" flush tools={<a href={hrefOf({ page: 'blocks' })}>All blocks</a>}>
      <Loaded answer={answer} lines={8}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No block found yet">
              Every share has a chance. The bar above shows how much work this round took of what is to be expected.
            </Empty>
          ) : (
            <BlocksTable caption="Last blocks" blocks={items} symbol={symbol} isShort />
          )
        }
      </Loaded>
    </Card>
  );
}

function PoolFacts({ pool }: { readonly pool: Answer<PoolInfo> }): JSX.Element {
  return (
    <Card title="Payout" tools={<a href={hrefOf({ page: 'connect' })}>Connect</a>}>
      <Loaded answer={{ ...pool, error: undefined }} lines={6}>
        {(info) => (
          <>
            <Facts
              items={[
                ['Scheme', schemeWords(info.scheme, info.payments).name],
                ['Fee', percent(info.feePercent / 100)],
                ['Least payment', <Money key="minimum" amount={info.minimumPayout} symbol={info.symbol} />],
                ['Coin', `${capital(info.coin)} ${info.network}`],
                ['Algorithm', info.algorithm],
                [
                  'Best share',
                  info.shares === null
                    ? scaledText(null)
                    : scaledText(info.shares.best === 0 ? null : info.shares.best),
                ],
                ['Running since', <Time key="started" ms={info.startedMs} />],
              ]}
            />
            <p class="muted small">{schemeWords(info.scheme, info.payments).meaning}</p>
          </>
        )}
      </Loaded>
    </Card>
  );
}

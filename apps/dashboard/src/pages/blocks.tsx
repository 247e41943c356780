import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { BlocksTable } from '../components/blocks-table.js';
import { Card, Facts, PageHead } from '../components/card.js';
import { Pager, usePaging } from '../components/pager.js';
import { Empty, Loaded } from '../components/states.js';
import { BlockStatus, BookingState } from '../components/status.js';
import { AccountLink, CopyButton, Hash, Money, Time, WorkerLink } from '../components/text.js';
import { count, percent, scaledText, UNKNOWN } from '../format/number.js';
import { duration } from '../format/time.js';
import { hrefOf } from '../route.js';
import { useApi } from '../services.js';
import { kindWords } from '../state/words.js';

const BLOCKS_PER_PAGE = 25;

export function Blocks(): JSX.Element {
  const paging = usePaging();
  const symbol = useApi(endpoints.coin).data?.symbol;
  const answer = useApi(endpoints.blocks(BLOCKS_PER_PAGE, paging.after));
  return (
    <>
      <PageHead
        title="Blocks"
        lead="Blocks this pool found, from the highest down. Effort is the work of the round over what was to be expected: under 100 % was lucky."
      />
      <Card title="Found blocks" flush>
        <Loaded answer={answer} lines={12}>
          {({ items, next }) => (
            <>
              {items.length === 0 ? (
                <Empty title="No block found yet">The first one will appear here by itself.</Empty>
              ) : (
                <BlocksTable caption="Found blocks" blocks={items} symbol={symbol} />
              )}
              <Pager paging={paging} next={next} what="blocks" />
            </>
          )}
        </Loaded>
      </Card>
    </>
  );
}

export function Block({ hash }: { readonly hash: string }): JSX.Element {
  const symbol = useApi(endpoints.coin).data?.symbol;
  const answer = useApi(endpoints.block(hash));
  return (
    <>
      <PageHead title={answer.data === undefined ? 'Block' : `Block ${count(answer.data.block.height)}`} />
      <Loaded answer={answer} lines={10}>
        {({ block, round, credits }) => (
          <div class="halves">
            <Card title="Block" tools={<BlockStatus block={block} />}>
              <Facts
                items={[
                  [
                    'Hash',
                    <span class="hash" key="hash">
                      <Hash text={block.hash} link={block.link} head={6} />
                      <CopyButton text={block.hash} label="the block hash" />
                    </span>,
                  ],
                  ['Found', <Time key="found" ms={block.foundMs} />],
                  ['Found by', <AccountLink key="account" account={block.account} />],
                  ['Worker', <WorkerLink key="worker" account={block.account} worker={block.worker} />],
                  ['Reward', <Money key="reward" amount={block.reward} symbol={symbol} />],
                  ['Confirmations', count(block.confirmations)],
                  ['Network difficulty', scaledText(block.networkDifficulty)],
                ]}
              />
            </Card>
            <Card title="Round">
              {round === null ? (
                <Empty title="Not counted">
                  The round is counted shortly after the block; an orphaned or rejected block ends none.
                </Empty>
              ) : (
                <Facts
                  items={[
                    ['Took', round.closedMs === null ? UNKNOWN : duration(round.closedMs - round.openedMs)],
                    ['Effort', percent(round.effort)],
                    ['Shares', count(round.accepted)],
                    ['Work', scaledText(round.work)],
                    ['Accounts', count(round.accounts)],
                  ]}
                />
              )}
            </Card>
            <Card title="Credits" tools={credits === null ? undefined : <BookingState state={credits.state} />}>
              {credits === null ? (
                <Empty title="No credits">
                  Either the block pays in its own coinbase, or its round is not counted yet.
                </Empty>
              ) : (
                <Facts
                  items={[
                    ...credits.kinds.map(
                      ({ kind, total }) =>
                        [kindWords(kind), <Money key={kind} amount={total} symbol={symbol} />] as const,
                    ),
                    ['Together', <Money key="total" amount={credits.total} symbol={symbol} />],
                  ]}
                />
              )}
            </Card>
          </div>
        )}
      </Loaded>
      <p>
        <a href={hrefOf({ page: 'blocks' })}>All blocks</a>
      </p>
    </>
  );
}

import type { BlockItem } from '@headframe/http';
import type { JSX } from 'preact';
import { count, percent } from '../format/number.js';
import { safeLink } from '../format/text.js';
import { hrefOf } from '../route.js';
import { useServices } from '../services.js';
import { BlockStatus, effortTone } from './status.js';
import { type Column, Table } from './table.js';
import { AccountLink, Hash, Money, OutLink, Time } from './text.js';

/** Blocks as rows; the short form leaves out what a narrow place has no room for. */
export function BlocksTable(props: {
  readonly caption: string;
  readonly blocks: readonly BlockItem[];
  readonly symbol: string | undefined;
  readonly isShort?: boolean;
}): JSX.Element {
  const { newBlocks } = useServices();
  const all: readonly (Column<BlockItem> | false)[] = [
    {
      name: 'height',
      label: 'Height',
      cell: (block) => <Height block={block} />,
    },
    { name: 'found', label: 'Found', cell: (block) => <Time ms={block.foundMs} /> },
    { name: 'status', label: 'Status', cell: (block) => <BlockStatus block={block} /> },
    { name: 'account', label: 'Found by', cell: (block) => <AccountLink account={block.account} /> },
    {
      name: 'effort',
      label: 'Effort',
      isNumber: true,
      cell: (block) => <span class={toneClass(effortTone(block.effort))}>{percent(block.effort)}</span>,
    },
    {
      name: 'reward',
      label: 'Reward',
      isNumber: true,
      cell: (block) => <Money amount={block.reward} symbol={props.symbol} />,
    },
    props.isShort !== true && {
      name: 'confirmations',
      label: 'Confirmations',
      isNumber: true,
      cell: (block) => count(block.confirmations),
    },
    props.isShort !== true && {
      name: 'hash',
      label: 'Hash',
      cell: (block) => <Hash text={block.hash} link={block.link} head={6} />,
    },
  ];
  return (
    <Table
      caption={props.caption}
      columns={all.filter((column) => column !== false)}
      items={props.blocks}
      keyOf={(block) => block.hash}
      isNew={(block) => newBlocks.has(block.hash)}
    />
  );
}

function toneClass(tone: string | undefined): string {
  return tone === undefined || tone === 'good' ? '' : `chip-${tone}`;
}

/** The height leads to the block's own page, the arrow out to a block explorer. */
function Height({ block }: { readonly block: BlockItem }): JSX.Element {
  return (
    <span class="nowrap">
      <a href={hrefOf({ page: 'block', hash: block.hash })} title={block.hash}>
        {count(block.height)}
      </a>
      {safeLink(block.link) !== undefined && (
        <>
          {' '}
          <OutLink link={block.link} title="In a block explorer">
            <span aria-hidden="true">{'\u2197'}</span>
            <span class="sr-only">Block {count(block.height)}</span>
          </OutLink>
        </>
      )}
    </span>
  );
}

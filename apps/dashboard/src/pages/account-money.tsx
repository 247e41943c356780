import type { AccountPayment, StatementPage } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { Card } from '../components/card.js';
import { Pager, usePaging } from '../components/pager.js';
import { Empty, Loaded } from '../components/states.js';
import { BookingState, PaymentStatus } from '../components/status.js';
import { type Column, Table } from '../components/table.js';
import { Hash, Money, Time } from '../components/text.js';
import { UNKNOWN } from '../format/number.js';
import { middle } from '../format/text.js';
import { hrefOf } from '../route.js';
import { useApi } from '../services.js';
import { kindWords } from '../state/words.js';

interface MoneyProps {
  readonly account: string;
  readonly symbol: string | undefined;
}

export function AccountPayments({ account, symbol }: MoneyProps): JSX.Element {
  const paging = usePaging();
  const answer = useApi(endpoints.accountPayments(account, paging.after));
  const columns: readonly Column<AccountPayment>[] = [
    { name: 'created', label: 'Planned', cell: (item) => <Time ms={item.createdMs} /> },
    { name: 'status', label: 'Status', cell: (item) => <PaymentStatus payment={item} /> },
    {
      name: 'txid',
      label: 'Transaction',
      cell: (item) => (item.txid === null ? UNKNOWN : <Hash text={item.txid} link={item.link} />),
    },
    { name: 'address', label: 'Address', cell: (item) => <Hash text={item.address} /> },
    { name: 'amount', label: 'Amount', isNumber: true, cell: (item) => <Money amount={item.amount} symbol={symbol} /> },
  ];
  return (
    <Card title="Payments" flush>
      <Loaded answer={answer} lines={3}>
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <Empty title="No payment yet">
                The first one comes when the available balance reaches the least payment.
              </Empty>
            ) : (
              <Table caption="Payments of the account" columns={columns} items={items} keyOf={(item) => item.id} />
            )}
            <Pager paging={paging} next={next} what="payments" />
          </>
        )}
      </Loaded>
    </Card>
  );
}

type Line = StatementPage['items'][number];

export function Statement({ account, symbol }: MoneyProps): JSX.Element {
  const paging = usePaging();
  const answer = useApi(endpoints.statement(account, paging.after));
  const columns: readonly Column<Line>[] = [
    { name: 'time', label: 'Time', cell: (line) => <Time ms={line.timeMs} /> },
    { name: 'kind', label: 'What', cell: (line) => kindWords(line.kind) },
    { name: 'key', label: 'For', cell: (line) => <Origin line={line} /> },
    { name: 'state', label: 'State', cell: (line) => <BookingState state={line.state} /> },
    { name: 'amount', label: 'Amount', isNumber: true, cell: (line) => <Money amount={line.amount} symbol={symbol} /> },
  ];
  return (
    <Card title="Statement" flush>
      <Loaded answer={answer} lines={5}>
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <Empty title="Nothing booked yet">Each credit and each payment of the account is listed here.</Empty>
            ) : (
              <Table
                caption="Statement of the account"
                columns={columns}
                items={items}
                keyOf={(line) => `${line.key} ${line.kind} ${line.state}`}
              />
            )}
            <Pager paging={paging} next={next} what="the statement" />
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** What a line is about: `block:<hash>` leads to the block. */
function Origin({ line }: { readonly line: Line }): JSX.Element {
  const colon = line.key.indexOf(':');
  const kind = line.key.slice(0, colon);
  const rest = line.key.slice(colon + 1);
  if (kind === 'block') {
    return (
      <a href={hrefOf({ page: 'block', hash: rest })} title={rest}>
        block <code>{middle(rest, 4, 8)}</code>
      </a>
    );
  }
  return (
    <span title={line.key}>
      {kind} {middle(rest, 10, 6)}
    </span>
  );
}

import type { PaymentItem } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { Card, PageHead } from '../components/card.js';
import { Pager, usePaging } from '../components/pager.js';
import { Empty, Loaded } from '../components/states.js';
import { PaymentStatus } from '../components/status.js';
import { type Column, Table } from '../components/table.js';
import { Hash, Money, Time } from '../components/text.js';
import { count, UNKNOWN } from '../format/number.js';
import { useApi } from '../services.js';

const PAYMENTS_PER_PAGE = 25;

export function Payments(): JSX.Element {
  const paging = usePaging();
  const pool = useApi(endpoints.pool).data;
  const answer = useApi(endpoints.payments(PAYMENTS_PER_PAGE, paging.after));
  const symbol = pool?.symbol;
  const columns: readonly Column<PaymentItem>[] = [
    { name: 'created', label: 'Planned', cell: (item) => <Time ms={item.createdMs} /> },
    { name: 'status', label: 'Status', cell: (item) => <PaymentStatus payment={item} /> },
    {
      name: 'txid',
      label: 'Transaction',
      cell: (item) => (item.txid === null ? UNKNOWN : <Hash text={item.txid} link={item.link} />),
    },
    { name: 'outputs', label: 'Addresses', isNumber: true, cell: (item) => count(item.outputs) },
    { name: 'total', label: 'Paid', isNumber: true, cell: (item) => <Money amount={item.total} symbol={symbol} /> },
    { name: 'fee', label: 'Network fee', isNumber: true, cell: (item) => <Money amount={item.fee} symbol={symbol} /> },
    { name: 'confirmations', label: 'Confirmations', isNumber: true, cell: (item) => count(item.confirmations) },
  ];
  return (
    <>
      <PageHead
        title="Payments"
        lead="Transactions that paid accounts, latest first. Each one pays many addresses at once."
      />
      <Card title="All payments" flush>
        <Loaded answer={answer} lines={10}>
          {({ items, next }) => (
            <>
              {items.length === 0 ? (
                <Empty title="No payment yet">
                  {pool?.payments === false
                    ? 'This pool pays in the coinbase of its blocks, so there is nothing to send afterwards. See the blocks.'
                    : 'Accounts are paid when their mature balance reaches the least payment.'}
                </Empty>
              ) : (
                <Table caption="Payments" columns={columns} items={items} keyOf={(item) => item.id} />
              )}
              <Pager paging={paging} next={next} what="payments" />
            </>
          )}
        </Loaded>
      </Card>
    </>
  );
}

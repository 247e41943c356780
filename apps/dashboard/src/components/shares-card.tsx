import type { TallyJson } from '@headframe/http';
import type { JSX } from 'preact';
import { count, percent, scaledText } from '../format/number.js';
import { Card, Facts } from './card.js';

/** Shares by result since the beginning. */
export function SharesCard({ shares }: { readonly shares: TallyJson }): JSX.Element {
  const { accepted, stale, duplicate, low, invalid } = shares;
  const all = accepted + stale + duplicate + low + invalid;
  const line = (value: number): string => `${count(value)} (${percent(all === 0 ? 0 : value / all)})`;
  return (
    <Card title="Shares since the beginning">
      <Facts
        items={[
          ['Accepted', line(accepted)],
          ['Stale', line(stale)],
          ['Duplicate', line(duplicate)],
          ['Low difficulty', line(low)],
          ['Invalid', line(invalid)],
          ['Work', scaledText(shares.work)],
          ['Best share', scaledText(shares.best === 0 ? null : shares.best)],
        ]}
      />
    </Card>
  );
}

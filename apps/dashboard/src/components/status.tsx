import type { BlockItem, PaymentItem, WorkerItem } from '@headframe/http';
import type { JSX } from 'preact';
import { plural } from '../format/text.js';

type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

export function Chip({
  tone,
  text,
  title,
}: {
  readonly tone: Tone;
  readonly text: string;
  readonly title?: string;
}): JSX.Element {
  return (
    <span class={`chip chip-${tone}`} title={title}>
      {text}
    </span>
  );
}

const BLOCK: Readonly<Record<BlockItem['status'], readonly [Tone, string, string]>> = {
  candidate: ['info', 'Sent', 'Sent to the nodes; not in their chain yet.'],
  confirmed: ['info', 'Confirmed', 'In the chain; its reward is not mature yet.'],
  matured: ['good', 'Matured', 'Its reward can be spent.'],
  orphaned: ['bad', 'Orphaned', 'Another block took its place; it pays nothing.'],
  rejected: ['bad', 'Rejected', 'The nodes refused it.'],
};

export function BlockStatus({ block }: { readonly block: BlockItem }): JSX.Element {
  const [tone, text, title] = BLOCK[block.status];
  return <Chip tone={tone} text={text} title={`${title} ${plural(block.confirmations, 'confirmation')}.`} />;
}

const PAYMENT: Readonly<Record<PaymentItem['status'], readonly [Tone, string, string]>> = {
  planned: ['quiet', 'Planned', 'Waits for approval.'],
  approved: ['info', 'Approved', 'Is about to be signed.'],
  signed: ['info', 'Signed', 'Is about to be sent.'],
  sent: ['info', 'Sent', 'Sent to the network; not final yet.'],
  confirmed: ['good', 'Confirmed', 'Final.'],
  cancelled: ['quiet', 'Cancelled', 'Nothing was sent; the amounts are available again.'],
  failed: ['bad', 'Failed', 'Its transaction cannot confirm; the amounts are available again.'],
};

export function PaymentStatus({
  payment,
}: {
  readonly payment: Pick<PaymentItem, 'status' | 'confirmations'>;
}): JSX.Element {
  const [tone, text, title] = PAYMENT[payment.status];
  return <Chip tone={tone} text={text} title={`${title} ${plural(payment.confirmations, 'confirmation')}.`} />;
}

const WORKER: Readonly<Record<WorkerItem['state'], readonly [Tone, string, string]>> = {
  active: ['good', 'Online', 'Connected, with a share in the last ten minutes.'],
  idle: ['warn', 'Idle', 'Connected, but no share in the last ten minutes.'],
  offline: ['bad', 'Offline', 'Not connected.'],
};

export function WorkerState({ state }: { readonly state: WorkerItem['state'] }): JSX.Element {
  const [tone, text, title] = WORKER[state];
  return <Chip tone={tone} text={text} title={title} />;
}

const BOOKING: Readonly<Record<string, readonly [Tone, string, string]>> = {
  immature: ['info', 'Immature', 'Waits until its block is mature.'],
  final: ['good', 'Final', 'Counts as available.'],
  reversed: ['bad', 'Reversed', 'Its block was orphaned; it counts no more.'],
  open: ['info', 'Under way', 'The payment is not final yet.'],
};

export function BookingState({ state }: { readonly state: string }): JSX.Element {
  const [tone, text, title] = BOOKING[state] ?? ['quiet', state, ''];
  return <Chip tone={tone} text={text} title={title} />;
}

/** Effort of a round in words' colours: under the expected work is good luck. */
export function effortTone(effort: number | null): 'good' | 'warn' | 'bad' | undefined {
  if (effort === null) return undefined;
  return effort <= 1 ? 'good' : effort <= 2 ? 'warn' : 'bad';
}

import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Quantity } from '../format/number.js';

/** A titled part of a page. */
export function Card(props: {
  readonly title: string;
  readonly tools?: ComponentChildren;
  /** True when what is inside brings its own edges, as tables do. */
  readonly flush?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{props.title}</h2>
        {props.tools}
      </div>
      {props.flush === true ? (
        <div class="card-flush">{props.children}</div>
      ) : (
        <div class="card-body">{props.children}</div>
      )}
    </section>
  );
}

/** Numbers side by side. */
export function Tiles({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section aria-label={label}>
      <dl class="card tiles">{children}</dl>
    </section>
  );
}

/** One number with its name and a line of more. While `value` is undefined the place is kept. */
export function Tile(props: {
  readonly label: string;
  readonly value: Quantity | string | undefined;
  readonly more?: ComponentChildren;
  readonly title?: string;
  readonly isLong?: boolean;
}): JSX.Element {
  const { value } = props;
  return (
    <div class="tile">
      <dt>{props.label}</dt>
      <dd class={props.isLong === true ? 'figure figure-long' : 'figure'} title={props.title}>
        {value === undefined ? (
          <span class="skeleton skeleton-figure" />
        ) : typeof value === 'string' ? (
          value
        ) : (
          <>
            {value.value}
            {value.unit !== '' && <small>{value.unit}</small>}
          </>
        )}
      </dd>
      <dd class="tile-more">{value === undefined ? '' : props.more}</dd>
    </div>
  );
}

/** Names and values, one under the other. */
export function Facts(props: {
  readonly items: readonly (readonly [name: string, value: ComponentChildren])[];
  readonly isLeft?: boolean;
}): JSX.Element {
  return (
    <dl class={props.isLeft === true ? 'facts facts-left' : 'facts'}>
      {props.items.map(([name, value]) => (
        <div key={name} class="fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The title of a page and a sentence about it. */
export function PageHead(props: {
  readonly title: ComponentChildren;
  readonly lead?: ComponentChildren;
  readonly tools?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="page-head">
      <h1>{props.title}</h1>
      {props.tools}
      {props.lead !== undefined && <p>{props.lead}</p>}
    </div>
  );
}

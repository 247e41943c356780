import type { ComponentChildren, JSX } from 'preact';
import type { Direction, Sorting } from '../state/sort.js';

/** A column of a table. */
export interface Column<Item, Name extends string = string> {
  readonly name: Name;
  readonly label: string;
  readonly cell: (item: Item) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Takes a whole line where rows are cards. */
  readonly isWide?: boolean;
  /** The direction a first click sorts in; left out: not sortable. */
  readonly sort?: Direction;
}

const ARROWS = { ascending: '\u2191', descending: '\u2193', none: '' } as const;

/** Rows that scroll in their own frame, or become cards on a narrow page. */
export function Table<Item, Name extends string>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Item, Name>[];
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string | number;
  readonly isNew?: (item: Item) => boolean;
  readonly sorting?: Sorting<Name>;
  readonly onSort?: (column: Name, first: Direction) => void;
}): JSX.Element {
  const { columns, sorting, onSort } = props;
  // Roles are written out: as cards the rows are no table boxes, and some readers would forget what they are.
  // What scrolls must be reachable without a mouse, hence the tabindex.
  return (
    <section class="table-scroll" aria-label={props.caption} tabindex={0}>
      {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
      <table class="cards" role="table">
        <caption class="sr-only">{props.caption}</caption>
        {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
        <thead role="rowgroup" class={onSort === undefined ? '' : 'sort-head'}>
          {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
          <tr role="row">
            {columns.map((column) => (
              <Head key={column.name} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        {/* biome-ignore lint/a11y/noRedundantRoles: see above. */}
        <tbody role="rowgroup">
          {props.items.map((item) => (
            // biome-ignore lint/a11y/noRedundantRoles: see above.
            <tr key={props.keyOf(item)} role="row" class={props.isNew?.(item) === true ? 'is-new' : ''}>
              {columns.map((column) => (
                // biome-ignore lint/a11y/noRedundantRoles: see above.
                <td key={column.name} role="cell" data-label={column.label} class={classOf(column)}>
                  {column.cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function classOf({ isNumber, isWide }: { readonly isNumber?: boolean; readonly isWide?: boolean }): string {
  return isNumber === true ? 'number' : isWide === true ? 'wide' : '';
}

function Head<Item, Name extends string>(props: {
  readonly column: Column<Item, Name>;
  readonly sorting: Sorting<Name> | undefined;
  readonly onSort: ((column: Name, first: Direction) => void) | undefined;
}): JSX.Element {
  const { column, sorting, onSort } = props;
  const style = column.isNumber === true ? 'number' : '';
  const { sort } = column;
  if (sort === undefined || onSort === undefined || sorting === undefined) {
    return (
      // biome-ignore lint/a11y/noRedundantRoles: see above.
      <th scope="col" role="columnheader" class={style}>
        {column.label}
      </th>
    );
  }
  const state = sorting.column === column.name ? sorting.direction : 'none';
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see above.
    <th scope="col" role="columnheader" class={style} aria-sort={state}>
      <button type="button" onClick={() => onSort(column.name, sort)}>
        {column.label}
        <span class="arrow" aria-hidden="true">
          {ARROWS[state]}
        </span>
      </button>
    </th>
  );
}

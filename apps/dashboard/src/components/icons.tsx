import type { JSX } from 'preact';

const stroke = {
  fill: 'none',
  stroke: 'currentColor',
  'stroke-width': 1.7,
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round',
} as const;

/** The tower over a mine's shaft, with the wheel that hoists. */
export function Logo(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#a8480c" />
      <g fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">
        <circle cx="16" cy="9.5" r="3.6" />
        <path d="M14.2 13 9.5 26M17.8 13l4.7 13M12.2 18.6h7.6M10.8 22.6h10.4M7.5 26h17" />
      </g>
    </svg>
  );
}

export function SearchIcon(): JSX.Element {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" {...stroke}>
      <circle cx="8.75" cy="8.75" r="5.25" />
      <path d="m12.75 12.75 4.5 4.5" />
    </svg>
  );
}

export function SunIcon(): JSX.Element {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" {...stroke}>
      <circle cx="10" cy="10" r="3.5" />
      <path d="M10 1.75v2M10 16.25v2M1.75 10h2M16.25 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4" />
    </svg>
  );
}

export function MoonIcon(): JSX.Element {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" {...stroke}>
      <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" />
    </svg>
  );
}

/** Half light, half dark: as the system has it. */
export function SystemIcon(): JSX.Element {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" {...stroke}>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 3a7 7 0 0 1 0 14Z" fill="currentColor" />
    </svg>
  );
}

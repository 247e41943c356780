import { UNKNOWN } from './number.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two largest parts of a time span: `45 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return UNKNOWN;
  const span = Math.max(0, ms);
  if (span < SECOND) return span === 0 ? '0 s' : '< 1 s';
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return parts(span, MINUTE, 'min', SECOND, 's');
  if (span < DAY) return parts(span, HOUR, 'h', MINUTE, 'min');
  if (span < 365 * DAY) return parts(span, DAY, 'd', HOUR, 'h');
  return parts(span, 365 * DAY, 'y', DAY, 'd');
}

function parts(span: number, large: number, largeName: string, small: number, smallName: string): string {
  const count = Math.floor(span / large);
  const rest = Math.floor((span - count * large) / small);
  return rest === 0 ? `${count} ${largeName}` : `${count} ${largeName} ${rest} ${smallName}`;
}

/** `just now`, `3 min ago`, `in 5 h`: the largest part alone. */
export function relative(timeMs: number, nowMs: number): string {
  const span = Math.abs(nowMs - timeMs);
  if (span < 5 * SECOND) return 'just now';
  const text = largest(span);
  return timeMs <= nowMs ? `${text} ago` : `in ${text}`;
}

function largest(span: number): string {
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`;
  return `${Math.floor(span / DAY)} d`;
}

/** The whole time in the reader's zone: `2026-11-20 14:03:05 +01:00`. */
export function absolute(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(date)}:${two(date.getSeconds())} ${zone}`;
}

/** For axes and tables of a chart: hours alone within a day, the date too beyond it. */
export function axisTime(timeMs: number, spanMs: number): string {
  const date = new Date(timeMs);
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return spanMs <= DAY ? clock(date) : `${day} ${clock(date)}`;
}

function clock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

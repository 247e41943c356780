const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** `1234567` to `1.23 MH/s`. */
export function hashrateText(hashesPerSecond: number): string {
  let value = hashesPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${UNITS[unit] ?? ''}H/s`;
}

/** Seconds to `1:02:03` or `2:03`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A difficulty, short. */
export function difficultyText(difficulty: number): string {
  return difficulty >= 1000 || difficulty < 0.001
    ? difficulty.toPrecision(3)
    : String(Number(difficulty.toPrecision(4)));
}

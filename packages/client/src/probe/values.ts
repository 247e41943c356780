/** True for a list of hex strings. */
export function isHexList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.every((entry) => typeof entry === 'string' && /^(?:[0-9a-fA-F]{2})*$/.test(entry))
  );
}

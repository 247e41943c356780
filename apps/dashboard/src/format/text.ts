/** A long name with its middle left out: `bc1qar0s...zzwf5mdq`. Short ones stay whole. */
export function middle(text: string, head = 8, tail = 6): string {
  return text.length <= head + tail + 3 ? text : `${text.slice(0, head)}\u2026${text.slice(-tail)}`;
}

/** The name of a coin as a heading has it: `Bitcoin`. */
export function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** `1 worker`, `2 workers` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** An address of another site, or undefined when it is not http(s): a hostile setting can never become a script address. */
export function safeLink(link: string | null | undefined): string | undefined {
  return link !== null && link !== undefined && /^https?:\/\/[^/\s]/i.test(link) ? link : undefined;
}

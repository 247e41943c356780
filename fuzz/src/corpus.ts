import { readdirSync, readFileSync } from 'node:fs';

/** The inputs to start from of one target: the files of `fuzz/corpus/<target>/`, in order of their names. */
export function loadCorpus(target: string): readonly Uint8Array[] {
  // From src and from dist alike.
  const folder = new URL(`../corpus/${target}/`, import.meta.url);
  const names = readdirSync(folder).sort();
  if (names.length === 0) throw new Error(`no corpus for ${target}: ${folder.pathname} is empty`);
  return names.map((name) => new Uint8Array(readFileSync(new URL(name, folder))));
}

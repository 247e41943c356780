#!/usr/bin/env node
// The binary. Everything is in ../dist; this file only says how to get it when it is not there.
import { existsSync } from 'node:fs';

const entry = new URL('../dist/index.js', import.meta.url);
if (!existsSync(entry)) {
  console.error('headframe is not built yet: run `npm start` (or `npm test`) once in the project folder.');
  process.exit(70);
}
const { main } = await import(entry.href);
await main(process.argv.slice(2));

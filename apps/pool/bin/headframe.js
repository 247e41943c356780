#!/usr/bin/env node
// The binary. Everything is in ../dist; this file only says how to get it when it is not there.
import { existsSync } from 'node:fs';

// Nodes start `headframe notify` for every block: it comes first, and loads a single file.
const isNotify = process.argv[2] === 'notify';
const entry = new URL(isNotify ? '../dist/notify.js' : '../dist/index.js', import.meta.url);
if (!existsSync(entry)) {
  console.error('headframe is not built yet: run `npm start` (or `npm test`) once in the project folder.');
  process.exit(70);
}
if (isNotify) {
  const { notify } = await import(entry.href);
  process.exitCode = await notify(process.argv.slice(3), process.env);
} else {
  const { main } = await import(entry.href);
  await main(process.argv.slice(2));
}

import type { Command } from '../args.js';
import { notify as run } from '../notify.js';

/** For the overview and the reference; the binary itself runs `notify.ts` before anything else is loaded. */
export const notify: Command = {
  name: 'notify',
  summary: 'Tell a running pool of a block, wallet transaction or alert; for blocknotify= of a node.',
  options: {
    type: { type: 'string', value: 'TYPE', help: 'block, wallet or alert.' },
    data: { type: 'string', value: 'TEXT', help: 'What the node puts in place of %s.' },
    source: { type: 'string', value: 'TEXT', help: 'Which node it is.' },
    host: { type: 'string', value: 'HOST', help: 'Of the control port.', default: '127.0.0.1' },
    port: { type: 'string', value: 'PORT', help: 'Of the control port.', default: '8090' },
    socket: { type: 'string', value: 'PATH', help: 'The UNIX socket of the pool, in place of host and port.' },
    'token-file': { type: 'string', value: 'FILE', help: 'File with the token; else HEADFRAME_CONTROL_TOKEN.' },
    timeout: { type: 'string', value: 'SECONDS', help: 'Give up after so long.', default: '5' },
  },
  details: `
Loads next to nothing, because a node starts it for every block: blocknotify=headframe notify --type block --data %s
--socket /run/headframe/control.sock. Secrets are never taken from the command line. Exit codes of its own: 69 no pool
answers, 77 wrong or missing token.`,
  run: (args) => {
    const argv: string[] = [];
    for (const name of Object.keys(notify.options)) {
      const value = args.text(name);
      if (value !== undefined) argv.push(`--${name}`, value);
    }
    return run(argv, process.env);
  },
};

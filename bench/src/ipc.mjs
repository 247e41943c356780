// Commands between the runner and its processes, over Node's IPC.
import { fork } from 'node:child_process';

/**
 * Answers commands of the parent process, for as long as it lives.
 *
 * @param {Record<string, (options: any) => unknown>} commands
 */
export function serve(commands) {
  process.on('message', async (/** @type {any} */ { id, command, options }) => {
    try {
      process.send?.({ id, result: await commands[command]?.(options ?? {}) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ note: 'ready' });
}

/** Tells the parent that something has begun or ended. @param {string} note */
export function tell(note) {
  process.send?.({ note });
}

/**
 * Starts a process that answers commands.
 *
 * @param {URL} file
 * @param {{ execArgv?: readonly string[] }} [options]
 */
export async function startProcess(file, { execArgv = [] } = {}) {
  const child = fork(file, [], { execArgv: [...execArgv], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  /** @type {(note: string) => void} */
  let onNote = () => {};
  let nextId = 1;
  const ready = new Promise((resolve) => {
    child.on('message', (/** @type {any} */ message) => {
      if (message.note === 'ready') resolve(undefined);
      else if (message.note !== undefined) onNote(message.note);
      const call = waiting.get(message.id);
      if (call === undefined) return;
      waiting.delete(message.id);
      if (message.error === undefined) call.resolve(message.result);
      else call.reject(new Error(message.error));
    });
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`process ended: ${code ?? signal}`));
    waiting.clear();
  });
  await ready;
  return {
    pid: child.pid,
    /**
     * @param {string} command
     * @param {object} [options]
     * @param {(note: string) => void} [notes] told what the process tells meanwhile
     * @returns {Promise<any>}
     */
    call(command, options = {}, notes = () => {}) {
      onNote = notes;
      const id = nextId++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, command, options });
      });
    },
    stop() {
      child.disconnect();
      return new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startProcess>>} Process */

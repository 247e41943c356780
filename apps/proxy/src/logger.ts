import type { ProxyConfig } from '@headframe/proxy';
import { pino } from 'pino';
import pretty from 'pino-pretty';

/** Readable lines on a terminal, JSON lines in a pipe. Written synchronously, so that the last words are not lost. */
export function createLogger({ level, format }: ProxyConfig['log']): pino.Logger {
  const isTerminal = process.stdout.isTTY === true;
  if (format !== 'pretty' && !(format === 'auto' && isTerminal)) {
    return pino({ level, base: null }, pino.destination({ fd: 1, sync: true }));
  }
  const stream = pretty({
    colorize: isTerminal && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
    sync: true,
  });
  return pino({ level, base: null }, stream);
}

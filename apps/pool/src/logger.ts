import { pino } from 'pino';
import pretty from 'pino-pretty';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'pretty' | 'json';
}

/** Readable lines on a terminal, JSON lines in a pipe. Written synchronously, so that the last words are not lost. */
export function createLogger(options: LogOptions): pino.Logger {
  const readable = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY === true);
  if (!readable) return pino({ level: options.level, base: null }, pino.destination({ fd: 1, sync: true }));
  const stream = pretty({
    colorize: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
    sync: true,
  });
  return pino({ level: options.level, base: null }, stream);
}

type LogMethod = (details: object, message: string) => void;

/** What Headframe needs of a logger; a pino logger fits as it is. */
export interface Logger {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
  child(bindings: Record<string, unknown>): Logger;
}

const nothing: LogMethod = () => {};

/** Says nothing. The default everywhere, so that a library stays quiet until asked. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};

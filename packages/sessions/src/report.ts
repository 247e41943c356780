import { isReject, type Logger, reject } from '@headframe/primitives';
import type { SessionEventSink, SessionHooks } from './events.js';
import { type HookErrorHandler, HookRegistry } from './hooks.js';
import type { MethodContext } from './types.js';

/** Logs a throw of a hook and refuses: with the rejection that was thrown, else with `internal`. */
export function hookErrorHandler(log: Logger, events: SessionEventSink): HookErrorHandler {
  return (error, hookName) => {
    if (isReject(error)) {
      log.warn({ hook: hookName, code: error.code }, 'hook threw a rejection; return it instead');
      return error;
    }
    log.error({ err: error, hook: hookName }, 'hook failed');
    events.safeEmit('error', { error, where: `hook ${hookName}`, session: undefined });
    return reject('internal');
  };
}

/** The hooks of a session server: `onRequest`, `beforeReply`, `onClose`. */
export function createSessionHooks<Context extends MethodContext = MethodContext>(
  log: Logger,
  events: SessionEventSink,
): HookRegistry<SessionHooks<Context>> {
  return new HookRegistry<SessionHooks<Context>>(
    ['onRequest', 'beforeReply', 'onClose'],
    hookErrorHandler(log, events),
  );
}

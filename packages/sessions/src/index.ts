export type { CloseReason, ListenerInfo, MethodContext, MethodDefinition, Session, SessionState } from './types.js';

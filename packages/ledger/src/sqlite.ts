export { openSqliteHandle, type SqliteHandle, type SqliteLibrary, type SqliteStatement } from './sql/sqlite-handle.js';

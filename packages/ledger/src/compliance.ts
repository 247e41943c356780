export { describeLedger, type LedgerHarness } from './compliance/ledger.js';

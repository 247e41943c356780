export { describeWallet, type WalletHarness } from './wallet-compliance.js';

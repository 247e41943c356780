import type { FuzzTarget } from './run.js';
import { auxpowTarget } from './targets/auxpow.js';
import { btcagentTarget } from './targets/btcagent.js';
import { controlTarget } from './targets/control.js';
import { detectTarget } from './targets/detect.js';
import { electrumMessageTarget } from './targets/electrum-message.js';
import { electrumProofTarget } from './targets/electrum-proof.js';
import { framerTarget } from './targets/framer.js';
import { messageTarget } from './targets/message.js';
import { notifyTarget } from './targets/notify.js';
import { paramsTarget } from './targets/params.js';
import { proxyTarget } from './targets/proxy.js';
import { sessionTarget } from './targets/session.js';
import { stratumV2FramesTarget } from './targets/stratum-v2-frames.js';
import { stratumV2MessageTarget } from './targets/stratum-v2-message.js';
import { stratumV2NoiseTarget } from './targets/stratum-v2-noise.js';
import { submitTarget } from './targets/submit.js';
import { templateTarget } from './targets/template.js';

export { loadCorpus } from './corpus.js';
export { FuzzFailure, type FuzzOptions, type FuzzReport, type FuzzTarget, replay, runFuzz } from './run.js';

/** Every parser of bytes that strangers send, and a server that takes whole sessions of them. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  framerTarget,
  messageTarget,
  submitTarget,
  paramsTarget,
  notifyTarget,
  proxyTarget,
  detectTarget,
  templateTarget,
  auxpowTarget,
  controlTarget,
  electrumMessageTarget,
  electrumProofTarget,
  btcagentTarget,
  stratumV2FramesTarget,
  stratumV2MessageTarget,
  stratumV2NoiseTarget,
  sessionTarget,
];

import { configTargets } from './config-targets.ts';
import { controllerTargets } from './controller-targets.ts';
import { fileTargets } from './file-targets.ts';
import { kafkaTargets } from './kafka-targets.ts';
import { messageTargets } from './message-targets.ts';
import { peerTargets } from './peer-targets.ts';
import { recordTargets } from './record-targets.ts';
import type { Target } from './target.ts';

/** Every decoder of bytes that somebody else may have written. */
export const targets: readonly Target[] = [
  ...recordTargets,
  ...messageTargets,
  ...controllerTargets,
  ...kafkaTargets,
  ...peerTargets,
  ...fileTargets,
  ...configTargets,
];

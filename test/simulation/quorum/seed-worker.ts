import { parentPort } from 'node:worker_threads';
import { drawPlan } from './plan.ts';
import { runPlan } from './run-quorum-seed.ts';

/** Runs the seed it is sent and sends what became of it, one after another. */
const port = parentPort!;
port.on('message', (seed: number) => {
  void runPlan(drawPlan(seed)).then((result) => port.postMessage(result));
});

import { expect, test } from 'vitest';
import { BrokerLifecycle } from '../../../src/broker/broker-lifecycle.ts';
import type { BrokerHeartbeat, HeartbeatAnswer } from '../../../src/controller/heartbeat.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { brokerEpoch, nodeId } from '../../../src/model/ids.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const SERVING: HeartbeatAnswer = { isFenced: false, isCaughtUp: true, shouldShutdown: false };
const FENCED: HeartbeatAnswer = { isFenced: true, isCaughtUp: true, shouldShutdown: false };

function lifecycle(answer: (beat: BrokerHeartbeat, count: number) => HeartbeatAnswer | Error) {
  const { scheduler, env } = simulatedEnv({ seed: 1 });
  const beats: BrokerHeartbeat[] = [];
  const replaced: string[] = [];
  const life = new BrokerLifecycle({ nodeId: nodeId(3), brokerEpoch: brokerEpoch(40) }, 2_000, {
    timers: env.timers,
    logger: silentLogger,
    heartbeat: async (beat) => {
      beats.push(beat);
      const outcome = answer(beat, beats.length);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    position: () => 41,
    onReplaced: (error) => replaced.push(error.message),
  });
  return { scheduler, life, beats, replaced };
}

test('a broker is in service when the controller says so, and goes on with its heartbeats', async () => {
  const { scheduler, life, beats } = lifecycle((_, count) => (count < 4 ? FENCED : SERVING));
  await scheduler.complete(life.start());
  expect(beats).toHaveLength(4);
  expect(scheduler.nowMs).toBeLessThan(1_000);
  expect(beats[0]).toEqual({
    ...{ nodeId: 3, brokerEpoch: 40, currentPosition: 41 },
    ...{ wantsFence: false, wantsShutdown: false },
  });
  await scheduler.run(scheduler.nowMs + 10_100);
  expect(beats).toHaveLength(9);
  life.stop();
  await scheduler.run(scheduler.nowMs + 10_000);
  expect(beats).toHaveLength(9);
});

test('a controller that does not answer is asked again', async () => {
  const { scheduler, life, beats } = lifecycle((_, count) =>
    count < 3 ? new ApiError(Errors.NOT_CONTROLLER) : SERVING,
  );
  await scheduler.complete(life.start());
  expect(beats).toHaveLength(3);
});

test('a broker that leaves asks until it may go', async () => {
  const { scheduler, life, beats } = lifecycle(({ wantsShutdown }, count) => ({
    ...SERVING,
    shouldShutdown: wantsShutdown && count > 4,
  }));
  await scheduler.complete(life.start());
  await scheduler.complete(life.leave(60_000));
  expect(beats.map(({ wantsShutdown }) => wantsShutdown)).toEqual([false, true, true, true, true]);
});

test('a broker that is not let go goes after its patience, and one that has stopped at once', async () => {
  const { scheduler, life } = lifecycle(() => SERVING);
  await scheduler.complete(life.start());
  const beganMs = scheduler.nowMs;
  await scheduler.complete(life.leave(3_000));
  expect(scheduler.nowMs - beganMs).toBeGreaterThanOrEqual(3_000);
  await scheduler.complete(life.leave(3_000));
});

test('a broker whose epoch is over is replaced, and says nothing more', async () => {
  const { scheduler, life, beats, replaced } = lifecycle((_, count) =>
    count === 1 ? SERVING : new ApiError(Errors.STALE_BROKER_EPOCH, 'it is 50'),
  );
  await scheduler.complete(life.start());
  await scheduler.run(30_000);
  expect([beats.length, replaced]).toEqual([2, ['it is 50']]);
});

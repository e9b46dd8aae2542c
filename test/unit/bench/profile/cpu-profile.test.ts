import { describe, expect, test } from 'vitest';
import { activityOf, functionTimes, wholeOf } from '../../../../bench/profile/cpu-profile.ts';
import { profile } from './profiles.ts';

describe('a profile of the processor', () => {
  test('is divided into functions, garbage collection and idleness', () => {
    const activity = activityOf(profile, [wholeOf(profile)], '/repo/');
    expect(activity).toMatchObject({ gcUs: 1_000, idleUs: 1_000, root: { totalUs: 4_000 } });
    const [main] = activity.root.children;
    expect(activity.root.children).toHaveLength(1);
    expect(main).toMatchObject({ name: '(anonymous)', place: 'src/cli/main.ts:10', selfUs: 2_000 });
    expect(main!.children[0]).toMatchObject({ name: 'append', selfUs: 1_000, totalUs: 2_000 });
  });

  test('counts only what lies in the windows, in parts where one cuts a sample', () => {
    const windows = [
      { fromUs: 0, toUs: 1_500 },
      { fromUs: 2_750, toUs: 3_000 },
    ];
    const { root, gcUs, idleUs } = activityOf(profile, windows, '/repo/');
    const [main] = root.children;
    expect([gcUs, idleUs]).toEqual([0, 0]);
    expect(main).toMatchObject({ selfUs: 500, totalUs: 750 });
  });

  test('a function that calls itself is counted once in its total', () => {
    const { root } = activityOf(profile, [wholeOf(profile)], '/repo/');
    const append = functionTimes(root).find(({ name }) => name === 'append');
    expect(append).toMatchObject({ place: 'src/log/log.ts:42', selfUs: 2_000, totalUs: 2_000 });
  });

  test('files of packages are named from their package on', () => {
    const url = 'file:///repo/node_modules/@grpc/grpc-js/build/call.js';
    const nodes = profile.nodes.map((node) =>
      node.id === 3 ? { ...node, callFrame: { functionName: 'send', url, lineNumber: 0 } } : node,
    );
    const { root } = activityOf({ ...profile, nodes }, [wholeOf(profile)], '/repo/');
    expect(root.children[0]!.children[0]!.place).toBe('@grpc/grpc-js/build/call.js:1');
  });
});

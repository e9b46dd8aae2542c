import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CoordinatorRuntime } from '../../src/coordinator/coordinator-runtime.ts';
import { ApiError, Errors } from '../../src/model/errors.ts';

type Step =
  | { readonly do: 'write'; readonly records: number }
  | { readonly do: 'refuse' }
  | { readonly do: 'commit'; readonly share: number }
  | { readonly do: 'lose' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), records: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'refuse' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const), share: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose' as const }) },
);

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A log in memory. */
function manualLog() {
  const entries: string[][] = [];
  return {
    entries,
    get nextPosition() {
      return entries.length;
    },
    append(records: readonly Uint8Array[]) {
      return entries.push(records.map((record) => new TextDecoder().decode(record)));
    },
  };
}

test('the committed state is the fold of the committed entries, and no answer is ahead of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const log = manualLog();
      const runtime = new CoordinatorRuntime<readonly string[], string>(
        { maxWaiting: 1000 },
        log,
        {
          replay: (state, record) => [...state, record],
          encode: (record) => new TextEncoder().encode(record),
        },
        { position: 0, state: [] },
        () => new ApiError(Errors.NOT_CONTROLLER),
      );
      let committed = 0;
      let isLost = false;
      let answers = 0;
      const early: unknown[] = [];
      let asked = 0;
      runtime.onCommitted((before, after) => {
        expect(after.slice(0, before.length)).toEqual(before);
        expect(runtime.committed).toBe(after);
      });
      for (const each of steps) {
        if (each.do === 'write') {
          asked++;
          const seen = log.entries.flat();
          const records = Array.from({ length: each.records }, (_, i) => `${asked}.${i}`);
          runtime
            .write((state) => {
              expect(state).toEqual(isLost ? runtime.committed : seen);
              return { records, response: [...state, ...records] };
            })
            .then(
              (response) => {
                answers++;
                const shown = runtime.committed.slice(0, response.length);
                if (shown.join() !== response.join()) early.push(response);
              },
              (error) => {
                answers++;
                if (!(isLost && error instanceof ApiError)) early.push(error);
              },
            );
        } else if (each.do === 'refuse') {
          asked++;
          const known = log.entries.flat().length;
          runtime
            .write(() => {
              throw new ApiError(Errors.INVALID_REQUEST);
            })
            .then(
              () => early.push('no refusal'),
              (error) => {
                answers++;
                // A refusal says something of the state, too: that has to be committed.
                const isEarly = !isLost && runtime.committed.length < known;
                if (!(error instanceof ApiError) || isEarly) early.push(error);
              },
            );
        } else if (each.do === 'commit') {
          const pending = log.entries.length - committed;
          const position = committed + Math.round((pending * each.share) / 100);
          if (!isLost) committed = position;
          runtime.committedTo(position);
          await settled();
        } else {
          isLost = true;
          runtime.retire(new Error('lost'));
          await settled();
        }
        expect(runtime.committed).toEqual(log.entries.slice(0, committed).flat());
        if (isLost) expect(runtime.latest).toBe(runtime.committed);
        else expect(runtime.latest).toEqual(log.entries.flat());
      }
      if (!isLost) runtime.committedTo(log.entries.length);
      await settled();
      expect(answers).toBe(asked);
      // All that an answer rested on was committed.
      expect(early).toEqual([]);
    }),
  );
});

import { expect, test } from 'vitest';
import { CoordinatorRuntime, type Shard } from '../../../src/coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../../../src/coordinator/shard-log.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';

/** A log in memory whose commits a test decides about. */
class ManualLog implements ShardLog {
  readonly entries: string[][] = [];
  nextPosition = 0;
  refusal: Error | null = null;
  runtime!: CoordinatorRuntime<string, string>;

  append(records: readonly Uint8Array[]): number {
    if (this.refusal !== null) throw this.refusal;
    this.entries.push(records.map((record) => new TextDecoder().decode(record)));
    return ++this.nextPosition;
  }

  async commit(position: number): Promise<void> {
    this.runtime.committedTo(position);
    await settled();
  }

  async fail(error: Error): Promise<void> {
    this.runtime.retire(error);
    await settled();
  }
}

/** All reactions of promises that are settled have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A shard whose state is the text of all records, with their positions. */
const texts: Shard<string, string> = {
  replay(state, record, position) {
    if (record === 'broken') throw new Error('replay fails');
    return `${state}${record}@${position} `;
  },
  encode: (record) => new TextEncoder().encode(record),
};

function started(maxWaiting = 10) {
  const log = new ManualLog();
  const runtime = new CoordinatorRuntime<string, string>(
    { maxWaiting },
    log,
    texts,
    { position: 0, state: '' },
    (cause) => new ApiError(Errors.NOT_CONTROLLER, 'lost', { cause }),
  );
  log.runtime = runtime;
  const told: string[] = [];
  runtime.onCommitted((before, after) => told.push(`${before}=> ${after}`));
  const answers: string[] = [];
  const write = (name: string, ...records: string[]) => {
    const answer = runtime.write((state) => ({ records, response: `${name} saw ${state}` }));
    answer.then(
      (response) => answers.push(response.trim()),
      (error) => answers.push(`${name} failed: ${error.message}`),
    );
    return answer;
  };
  return { log, runtime, told, answers, write };
}

test('a write sees the records of the one before it, which is not committed yet', async () => {
  const { runtime, answers, write, log } = started();
  void write('first', 'a');
  void write('second', 'b', 'c');
  expect(runtime.latest).toBe('a@0 b@1 c@1 ');
  expect(runtime.committed).toBe('');
  await settled();
  expect(answers).toEqual([]);
  await log.commit(2);
  expect(answers).toEqual(['first saw', 'second saw a@0']);
  expect(runtime.committed).toBe('a@0 b@1 c@1 ');
});

test('an operation is given the position that its records will have', async () => {
  const { log, runtime, write } = started();
  void write('first', 'a');
  const position = runtime.write((_, at) => ({ records: [`mine${at}`], response: at }));
  await log.commit(2);
  expect(await position).toBe(1);
  expect(runtime.committed).toBe('a@0 mine1@1 ');
});

test('one write is one entry of the log', () => {
  const { log, write } = started();
  void write('first', 'a', 'b');
  void write('second', 'c');
  expect(log.entries).toEqual([['a', 'b'], ['c']]);
});

test('an answer that wrote nothing waits until what it has read is committed', async () => {
  const { log, answers, write } = started();
  void write('writer', 'a');
  void write('reader');
  await settled();
  expect(answers).toEqual([]);
  await log.commit(1);
  expect(answers).toEqual(['writer saw', 'reader saw a@0']);
  void write('late reader');
  await settled();
  expect(answers.at(-1)).toBe('late reader saw a@0');
});

test('listeners hear of a commit before those who waited for it', async () => {
  const { log, runtime, answers, write } = started();
  const order: string[] = [];
  runtime.onCommitted(() => order.push(`listener, ${answers.length} answered`));
  void write('first', 'a').then(() => order.push('answer'));
  await log.commit(1);
  expect(order).toEqual(['listener, 0 answered', 'answer']);
});

test('listeners hear of every commit once, with the states before and after it', async () => {
  const { log, runtime, told, write } = started();
  const ended: string[] = [];
  const end = runtime.onCommitted((_, after) => ended.push(after));
  void write('first', 'a');
  void write('second', 'b');
  await log.commit(1);
  end();
  await log.commit(2);
  await log.commit(2);
  expect(told).toEqual(['=> a@0 ', 'a@0 => a@0 b@1 ']);
  expect(ended).toEqual(['a@0 ']);
});

test('a commit covers those before it, and is told once', async () => {
  const { log, runtime, told } = started();
  const first = runtime.write(() => ({ records: ['a'], response: 1 }));
  void runtime.write(() => ({ records: ['b'], response: 2 }));
  await log.commit(2);
  await log.commit(1);
  expect(await first).toBe(1);
  expect(told).toEqual(['=> a@0 b@1 ']);
});

test('an operation that throws changes nothing', async () => {
  const { log, runtime, write } = started();
  const refused = runtime.write(() => {
    throw new ApiError(Errors.INVALID_REQUEST, 'no');
  });
  await expect(refused).rejects.toThrow('no');
  await expect(write('broken', 'fine', 'broken')).rejects.toThrow('replay fails');
  expect(log.entries).toEqual([]);
  expect(runtime.latest).toBe('');
});

test('a refusal, too, waits until what it rests on is committed', async () => {
  const { log, runtime, write } = started();
  void write('first', 'a');
  const told: string[] = [];
  const refuse = () =>
    runtime
      .write(() => {
        throw new Error('there is an a');
      })
      .catch((error: Error) => told.push(error.message));
  void refuse();
  await settled();
  expect(told).toEqual([]);
  await log.commit(1);
  expect(told).toEqual(['there is an a']);
  void write('second', 'b');
  void refuse();
  await log.fail(new Error('disk'));
  expect(told).toEqual(['there is an a', 'lost']);
});

test('an append that throws changes nothing and leaves the runtime in service', async () => {
  const { log, runtime, write } = started();
  log.refusal = new ApiError(Errors.REQUEST_TOO_LARGE, 'too large');
  await expect(write('first', 'a')).rejects.toThrow('too large');
  expect(runtime.latest).toBe('');
  log.refusal = null;
  void write('second', 'b');
  await log.commit(1);
  expect(runtime.committed).toBe('b@0 ');
});

test('a failed commit drops what is not committed and rejects all who wait for it', async () => {
  const { log, runtime, answers, write } = started();
  void write('first', 'a');
  await log.commit(1);
  void write('second', 'b');
  void write('third', 'c');
  void write('reader');
  expect(runtime.latest).toBe('a@0 b@1 c@2 ');
  await log.fail(new Error('disk'));
  expect(runtime.latest).toBe('a@0 ');
  expect(answers.slice(1)).toEqual([
    'second failed: lost',
    'third failed: lost',
    'reader failed: lost',
  ]);
});

test('a retired runtime refuses everything and shows what was committed', async () => {
  const { log, runtime, told, write } = started();
  void write('first', 'a');
  await log.commit(1);
  const uncommitted = write('second', 'b');
  runtime.retire(new Error('resigned'));
  await expect(uncommitted).rejects.toMatchObject({ row: Errors.NOT_CONTROLLER });
  await expect(write('third')).rejects.toMatchObject({ row: Errors.NOT_CONTROLLER });
  // The entry may still be committed, by this log or another leader's: not here.
  await log.commit(2);
  expect(runtime.committed).toBe('a@0 ');
  expect(told).toEqual(['=> a@0 ']);
  expect(log.entries).toHaveLength(2);
});

test('as many may wait as the limit says, and a write beyond it leaves no trace', async () => {
  const { log, runtime, answers, write } = started(2);
  void write('first', 'a');
  void write('second', 'b');
  await expect(write('third', 'c')).rejects.toMatchObject({ row: Errors.BROKER_OVERLOADED });
  await expect(runtime.whenCommitted(2)).rejects.toMatchObject({ row: Errors.BROKER_OVERLOADED });
  expect(log.entries).toEqual([['a'], ['b']]);
  await log.commit(2);
  expect(answers).toHaveLength(3);
  void write('fourth', 'd');
  await log.commit(3);
  expect(runtime.committed).toBe('a@0 b@1 d@2 ');
});

test('who waits for a position hears of it, in whatever order they asked', async () => {
  const { log, runtime, write } = started();
  for (const name of ['a', 'b', 'c']) void write(name, name);
  const heard: number[] = [];
  for (const position of [3, 1, 2]) {
    void runtime.whenCommitted(position).then(() => heard.push(position));
  }
  await log.commit(1);
  expect(heard).toEqual([1]);
  await log.commit(3);
  expect(heard).toEqual([1, 2, 3]);
});

test('a runtime goes on from where another one ended', async () => {
  const { log, runtime, write } = started();
  void write('first', 'a', 'b');
  await log.commit(1);
  runtime.retire(new Error('lost'));
  const start = { position: 1, state: runtime.committed };
  const next = new CoordinatorRuntime<string, string>({ maxWaiting: 9 }, log, texts, start, () =>
    expect.unreachable(),
  );
  log.runtime = next;
  expect([next.committed, next.latest]).toEqual(['a@0 b@0 ', 'a@0 b@0 ']);
  const answer = next.write((state) => ({ records: ['c'], response: state }));
  await log.commit(2);
  expect(await answer).toBe('a@0 b@0 ');
  expect(next.committed).toBe('a@0 b@0 c@1 ');
});

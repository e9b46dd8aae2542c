import { expect } from 'vitest';
import type { Env } from '../../src/env/ports.ts';
import type { Log } from '../../src/log/log.ts';
import { type Damage, SegmentSurvey } from '../../src/log/segment-survey.ts';
import { offset } from '../../src/model/ids.ts';
import { batchesOf, type Directory, Node, type Truth } from './rotten-directory.ts';

/** What became of a directory in which something was damaged. */
export type Reaction =
  | 'unharmed'
  | 'made anew'
  | 'batches refused'
  | 'tail cut'
  | 'partition stopped'
  | 'start moved back'
  | 'start refused';

export interface Observation {
  readonly reaction: Reaction;
  /** What was said: the refusal, the problem of the log, or lines. */
  readonly text: string;
  readonly metrics: string;
  /** Offsets of `orders-0` that were acknowledged and are not served. */
  readonly lost: readonly number[];
}

/** Opens a damaged directory, reads everything there is, and fails if anything wrong is served. */
export async function observe(env: Env, path: string, directory: Directory): Promise<Observation> {
  let node: Node;
  try {
    node = await Node.open(env, path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message: text } = error;
    return { reaction: 'start refused', text, metrics: '', lost: [] };
  }
  try {
    const { truth } = directory;
    const other = await readLog(node.log('other')!, truth.get('other')!);
    expect(other, 'the partition beside it').toEqual([]);
    const log = node.log('orders')!;
    const known = truth.get('orders')!.filter(({ baseOffset }) => baseOffset >= log.logStartOffset);
    const lost = await readLog(log, known);
    if (log.corruption === null) {
      await readInBulk(log, known, lost);
      await lookUpTimes(log, known, lost);
      await repeatBatches(log, known, lost);
      await scrub(env, log, lost);
    }
    const reaction = reactionOf(node, log, directory, lost);
    const text = [log.corruption, ...node.lines.map((line) => JSON.stringify(line))].join('\n');
    return { reaction, text, metrics: await node.metrics.expose(), lost };
  } finally {
    await node.close();
  }
}

function reactionOf(
  node: Node,
  log: Log,
  { truth, startOffset }: Directory,
  lost: readonly number[],
): Reaction {
  if (log.corruption !== null) return 'partition stopped';
  if (log.logStartOffset < startOffset) return 'start moved back';
  expect(log.logStartOffset).toBe(startOffset);
  if (log.logEndOffset < truth.get('orders')!.at(-1)!.nextOffset) {
    expect(lost.every((at) => at >= log.logEndOffset)).toBe(true);
    expect(node.said('cut a torn tail')).toBe(true);
    return 'tail cut';
  }
  if (lost.length > 0) return 'batches refused';
  const isMadeAnew = ['indexes were made', 'producer snapshot is not', 'topic id was'];
  if (isMadeAnew.some((text) => node.said(text))) return 'made anew';
  return node.said('a segment is damaged') ? 'batches refused' : 'unharmed';
}

const read = async (log: Log, from: number, maxBytes: number) =>
  await log.read(offset(from), maxBytes, log.logEndOffset);

/** Base offsets of batches that are not served; fails if other bytes are. */
async function readLog(log: Log, known: readonly Truth[]): Promise<number[]> {
  const lost: number[] = [];
  // From the last to the first: who reads on needs no index.
  for (const { baseOffset, nextOffset, bytes } of known.toReversed()) {
    for (const from of new Set([baseOffset, nextOffset - 1])) {
      const outcome = await read(log, from, 1);
      if (outcome.ok && outcome.bytes > 0) {
        expect(outcome.batches.length).toBe(1);
        expect(Buffer.compare(outcome.batches[0]!, bytes), `what is served at ${from}`).toBe(0);
        expect(outcome.nextOffset).toBe(nextOffset);
      } else {
        // Nothing may be answered only where the log ends.
        const row = outcome.ok ? 'NONE' : outcome.row.name;
        const isPastEnd = log.corruption === null && from >= log.logEndOffset;
        expect(isPastEnd ? ['NONE', 'OFFSET_OUT_OF_RANGE'] : ['CORRUPT_MESSAGE']).toContain(row);
        if (from === baseOffset) lost.push(from);
        else expect(lost, `${from} is refused`).toContain(baseOffset);
      }
    }
  }
  return lost.reverse();
}

/** Reads on and on, as consumers do: nothing is skipped, and a refusal names what is lost. */
async function readInBulk(log: Log, known: readonly Truth[], lost: readonly number[]) {
  let at: number = log.logStartOffset;
  const served: number[] = [];
  while (at < log.logEndOffset) {
    const outcome = await read(log, at, 700);
    if (!outcome.ok) {
      expect(lost, `${at}: ${outcome.detail}`).toContain(at);
      const [, resume] = /from (\d+) on they can/.exec(outcome.detail) ?? [];
      expect(Number(resume), outcome.detail).toBeGreaterThan(at);
      at = Number(resume);
      continue;
    }
    const batches = batchesOf(outcome.batches);
    expect(batches[0]!.baseOffset <= at && batches[0]!.lastOffset >= at, `read at ${at}`).toBe(
      true,
    );
    for (const batch of batches) {
      const truth = known.find(({ baseOffset }) => baseOffset === batch.baseOffset);
      expect(truth === undefined ? 1 : Buffer.compare(truth.bytes, batch.bytes)).toBe(0);
      served.push(batch.baseOffset);
    }
    at = outcome.nextOffset;
  }
  const sound = known.map(({ baseOffset }) => baseOffset).filter((base) => !lost.includes(base));
  expect(served).toEqual(sound);
}

/** What is answered is right; what a damaged batch might have changed may be refused. */
async function lookUpTimes(log: Log, known: readonly Truth[], lost: readonly number[]) {
  const records = known
    .filter(({ baseOffset }) => !lost.includes(baseOffset))
    .flatMap(({ baseOffset, timestamps }) =>
      timestamps.map((timestampMs, i) => ({ timestampMs, offset: baseOffset + i })),
    );
  for (let ms = 1_000_000; ms < 1_010_000; ms += 150) {
    const answer = await log.offsetForTime(ms, log.logEndOffset).catch((error: unknown) => error);
    if (answer instanceof Error) {
      expect(lost.length, answer.message).toBeGreaterThan(0);
      continue;
    }
    const right = records.find(({ timestampMs }) => timestampMs >= ms);
    expect((answer as { offset: number } | undefined)?.offset, `offset for ${ms}`).toBe(
      right?.offset,
    );
  }
}

/** The scrubber finds what readers find. */
async function scrub(env: Env, log: Log, lost: readonly number[]): Promise<void> {
  const found: Damage[] = [];
  for (const { path, range } of log.scrubTargets()) {
    const file = await env.files.open(path, 'read');
    const survey = new SegmentSurvey(file, range);
    while (await survey.fill()) while (survey.next() !== null);
    found.push(...survey.damages);
    await file.close();
  }
  const isFound = (at: number): boolean =>
    found.some(({ fromOffset, toOffset }) => fromOffset <= at && at < toOffset);
  expect(lost.filter((at) => at < log.logEndOffset && !isFound(at))).toEqual([]);
  const isLost = ({ fromOffset, toOffset }: Damage): boolean =>
    toOffset <= log.logStartOffset ||
    fromOffset === toOffset ||
    lost.some((at) => fromOffset <= at && at < toOffset);
  expect(found.filter((damage) => !isLost(damage))).toEqual([]);
}

/** Batches of idempotent producers that came again are known, or refused, never appended again. */
async function repeatBatches(log: Log, known: readonly Truth[], lost: readonly number[]) {
  const end = log.logEndOffset;
  for (const { baseOffset, sent } of known.filter(({ timestamps }) => timestamps.length === 1)) {
    if (baseOffset >= end) continue;
    const outcome = log.append(sent.slice(), log.leaderEpochs.latestEpoch, 'client');
    const isRecent = baseOffset >= known.at(-8)!.baseOffset && lost.length === 0;
    if (isRecent) expect(outcome).toMatchObject({ duplicate: true, baseOffset });
    else if (outcome.ok) expect(outcome).toMatchObject({ duplicate: true });
    expect(log.logEndOffset).toBe(end);
  }
}

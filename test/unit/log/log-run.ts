import { expect } from 'vitest';
import { verifyFolder } from '../../../src/log/inspect.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { FOLDER, LogWorld, makeBatch, smallTopic } from './log-world.ts';

/** A batch that the log took. */
interface Stored {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: Uint8Array;
  /** What was handed in, to hand it in again. */
  readonly sent: Uint8Array;
  readonly producer: number;
  /** Of its first record; each one behind it is a millisecond later. */
  readonly timestampMs: number;
}

/** What may be there after a restart. */
interface Expectation {
  leastEnd: number;
  mostEnd: number;
  leastStart: number;
  mostStart: number;
}

interface Producer {
  readonly id: number;
  epoch: number;
  nextSequence: number;
}

/**
 * The log against a list: random appends, rolls, reads, retention, delete-records, truncations,
 * clean and crash restarts. After every restart everything flushed is there with the same bytes,
 * what else is there is what was appended next, and repeated batches are recognised.
 */
export class LogRun {
  readonly world: LogWorld;
  readonly #random: SimulatedRandom;
  #batches: Stored[] = [];
  #startOffset = 0;
  #producers: Producer[] = [];
  #tag = 0;
  /** Offsets that were told as flushed and cannot be. */
  readonly #wrong: string[] = [];
  #epoch = 0;
  #durability: 'durable' | 'replicated';
  readonly did = new Map<string, number>();

  constructor(seed: number) {
    this.world = new LogWorld(seed);
    this.#random = new SimulatedRandom(seed).fork('workload');
    this.#durability = this.#random.chance(0.75) ? 'durable' : 'replicated';
    this.world.topicConfig = {
      ...smallTopic,
      durability: this.#durability,
      segmentBytes: this.#random.pick([600, 2000, 6000]),
      indexIntervalBytes: this.#random.pick([0, 200, 1000]),
      retentionBytes: this.#random.pick([-1, 3000]),
    };
    this.world.config = {
      ...this.world.config,
      tailCacheBytes: this.#random.pick([0, 500, 100_000]),
      marksIntervalMs: this.#random.pick([1, 20, 1000]),
      producerSnapshotBytes: this.#random.pick([300, 3000, 100_000]),
      openSegmentsMax: this.#random.pick([1, 3]),
      journalPartitionsMin: this.#random.pick([1, 16]),
      journalBytes: this.#random.pick([500, 5000, 100_000]),
    };
  }

  async go(steps: number): Promise<void> {
    await this.world.start();
    this.#watch();
    this.#producers = [0, 1, 2].map((id) => ({ id, epoch: 0, nextSequence: 0 }));
    for (let step = 0; step < steps; step++) await this.#step();
    await this.#restart('clean');
    await this.#check();
  }

  async #step(): Promise<void> {
    const choice = this.#random.below(100);
    if (choice < 45) this.#append();
    else if (choice < 55) await this.world.settle(this.#random.below(30));
    else if (choice < 56) void this.world.log.letGo();
    else if (choice < 61) await this.#readSomewhere();
    else if (choice < 64) await this.#findByTime();
    else if (choice < 68) this.#repeat();
    else if (choice < 70) this.#skipSequences();
    else if (choice < 74) this.world.log.roll();
    else if (choice < 78) await this.#deleteRecords();
    else if (choice < 82) await this.#retain();
    else if (choice < 86) await this.#truncate();
    else if (choice < 87) this.#beginEpoch();
    else if (choice < 88) await this.#switchDurability();
    else if (choice < 90) await this.#restart('clean');
    else if (choice < 93) await this.#restart('power');
    else if (choice < 95) await this.#restart('process');
    else await this.#crashDuring();
  }

  #count(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }

  #append(): void {
    const random = this.#random;
    const producer = random.chance(0.6) ? random.pick(this.#producers) : undefined;
    const count = random.between(1, 4);
    const tag = this.#tag++;
    const valueBytes = random.pick([0, 20, 150, 700]);
    const timestampMs = 1010 + tag * 10 + random.below(50);
    const sent = makeBatch({
      count,
      valueBytes,
      tag,
      timestampMs,
      ...(producer === undefined
        ? {}
        : {
            producer: {
              id: producerId(producer.id),
              epoch: producer.epoch,
              baseSequence: producer.nextSequence,
            },
          }),
    });
    const records = sent.slice();
    const { log } = this.world;
    const expected = log.logEndOffset;
    const outcome = log.append(records, this.#epoch as never, 'client');
    if (!outcome.ok && outcome.row.name === 'RECORD_LIST_TOO_LARGE') return;
    expect(outcome).toMatchObject({ ok: true, baseOffset: expected, duplicate: false });
    if (producer !== undefined) producer.nextSequence += count;
    this.#batches.push({
      baseOffset: expected,
      lastOffset: expected + count - 1,
      bytes: records,
      sent,
      producer: producer?.id ?? -1,
      timestampMs,
    });
    this.#count('append');
  }

  /** One of the last five batches of a producer comes again. */
  #repeat(): void {
    const producer = this.#random.pick(this.#producers);
    const own = this.#batches.filter((batch) => batch.producer === producer.id).slice(-5);
    if (own.length === 0) return;
    const batch = this.#random.pick(own);
    const outcome = this.world.log.append(batch.sent.slice(), this.#epoch as never, 'client');
    expect(outcome).toMatchObject({
      ok: true,
      duplicate: true,
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
    });
    this.#count('repeat');
  }

  /** A batch comes before the one that it follows: what is between would be lost without a trace. */
  #skipSequences(): void {
    const producer = this.#random.pick(this.#producers);
    const { log } = this.world;
    const last = this.#batches.findLast((batch) => batch.producer === producer.id);
    // Whom the log does not know may begin with any sequence.
    if (last === undefined || last.lastOffset < this.#startOffset) return;
    const { epoch, nextSequence } = producer;
    const id = producerId(producer.id);
    const skipped = nextSequence + this.#random.between(2, 4);
    const sent = [makeBatch({ producer: { id, epoch, baseSequence: skipped } })];
    // All batches of an append are taken, or none.
    if (this.#random.chance(0.5)) {
      sent.unshift(makeBatch({ producer: { id, epoch, baseSequence: nextSequence } }));
    }
    const end = log.logEndOffset;
    const outcome = log.append(Buffer.concat(sent), this.#epoch as never, 'client');
    expect(outcome).toMatchObject({ ok: false, row: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER' } });
    expect(log.logEndOffset).toBe(end);
    this.#count('skip');
  }

  /** The first record of a time or later, as Kafka's ListOffsets means it. */
  async #findByTime(): Promise<void> {
    const { log } = this.world;
    const wantedMs = 1000 + this.#random.below((this.#tag + 6) * 10);
    const records = this.#batches.flatMap(({ baseOffset, lastOffset, timestampMs }) =>
      Array.from({ length: lastOffset - baseOffset + 1 }, (_, i) => ({
        offset: baseOffset + i,
        timestampMs: timestampMs + i,
      })),
    );
    const wanted = records.find(
      (record) => record.offset >= this.#startOffset && record.timestampMs >= wantedMs,
    );
    const found = await this.world.run(log.offsetForTime(wantedMs, log.logEndOffset));
    expect(found?.offset).toBe(wanted?.offset);
    expect(found?.timestampMs).toBe(wanted?.timestampMs);
    this.#count(found === undefined ? 'find nothing' : 'find');
    // Nothing more is drawn: what a seed stands for stays as it was.
    const ends = [log.logEndOffset, ...this.#batches.map(({ baseOffset }) => baseOffset)];
    const end = ends[wantedMs % ends.length]!;
    const readable = records.filter(({ offset: at }) => at >= this.#startOffset && at < end);
    const largestMs = Math.max(...readable.map(({ timestampMs }) => timestampMs));
    const largest = await this.world.run(log.offsetForTime('largest', offset(end)));
    expect(largest?.timestampMs ?? Number.NEGATIVE_INFINITY).toBe(largestMs);
    expect(largest?.offset).toBe(
      readable.find(({ timestampMs }) => timestampMs === largestMs)?.offset,
    );
  }

  async #readSomewhere(): Promise<void> {
    const { log } = this.world;
    const from = this.#random.between(this.#startOffset, log.logEndOffset);
    const end = this.#random.between(from, log.logEndOffset);
    const maxBytes = this.#random.pick([1, 100, 1000, 100_000]);
    const outcome = await this.world.run(
      Promise.resolve(log.read(offset(from), maxBytes, offset(end))),
    );
    expect(outcome).toMatchObject({ ok: true });
    if (!outcome.ok) return;
    const wanted = this.#batches.filter(
      (batch) => batch.lastOffset >= from && batch.lastOffset < end,
    );
    const bytes = Buffer.concat(outcome.batches);
    expect(bytes.length).toBe(outcome.bytes);
    const all = Buffer.concat(wanted.map((batch) => batch.bytes));
    expect(all.subarray(0, bytes.length).equals(bytes)).toBe(true);
    if (wanted.length > 0) expect(bytes.length).toBeGreaterThanOrEqual(wanted[0]!.bytes.length);
    if (bytes.length > maxBytes) expect(bytes.length).toBe(wanted[0]!.bytes.length);
    this.#count('read');
  }

  async #deleteRecords(): Promise<void> {
    const { log } = this.world;
    const before = this.#random.between(this.#startOffset, log.flushedOffset);
    await this.world.run(log.advanceLogStart(offset(before)));
    this.#startOffset = Math.max(this.#startOffset, before);
    expect(log.logStartOffset).toBe(this.#startOffset);
    this.#count('delete');
  }

  async #retain(): Promise<void> {
    const { log } = this.world;
    await this.world.run(log.applyRetention(null, log.flushedOffset));
    expect(log.logStartOffset).toBeGreaterThanOrEqual(this.#startOffset);
    this.#startOffset = log.logStartOffset;
    this.#count('retain');
  }

  async #truncate(): Promise<void> {
    const { log } = this.world;
    const target = this.#random.between(
      Math.max(this.#startOffset, log.logEndOffset - 12),
      log.logEndOffset,
    );
    if (this.#random.chance(0.5)) await this.world.settle(this.#random.below(5));
    await this.world.run(log.truncateTo(offset(target)));
    const lost = this.#endAt(log.logEndOffset);
    this.#startOffset = Math.min(this.#startOffset, log.logEndOffset);
    expect(log.logStartOffset).toBe(this.#startOffset);
    expect(log.logEndOffset).toBe((this.#batches.at(-1)?.lastOffset ?? log.logEndOffset - 1) + 1);
    expect(log.logEndOffset).toBeLessThanOrEqual(Math.max(target, this.#startOffset));
    this.#afterLoss(lost);
    this.#count('truncate');
  }

  #beginEpoch(): void {
    this.#epoch++;
    this.world.log.beginLeaderEpoch(this.#epoch as never);
  }

  /** A restart while nothing but the flusher is at work. */
  async #restart(kind: 'clean' | 'power' | 'process'): Promise<void> {
    const expected = this.#expectation(kind);
    if (kind === 'clean') {
      await this.world.restartCleanly();
      expected.leastEnd = expected.mostEnd;
    } else {
      await this.#crashAndOpen(kind);
    }
    await this.#expect(expected);
    this.#count(kind);
  }

  /** So that what was only written before is made durable together with something new, or is not. */
  async #switchDurability(): Promise<void> {
    await this.world.settle(this.#random.below(20));
    this.#durability = this.#durability === 'durable' ? 'replicated' : 'durable';
    this.world.topicConfig = { ...this.world.topicConfig, durability: this.#durability };
    this.world.log.updateConfig(this.world.topicConfig);
    this.#append();
    await this.world.settle(this.#random.below(10));
    if (this.#random.chance(0.5)) await this.#restart('power');
    this.#count('switch of durability');
  }

  /** A crash while something changes the log, and perhaps more crashes while it is recovered. */
  async #crashDuring(): Promise<void> {
    const kind = this.#random.pick(['power', 'power', 'process'] as const);
    const { log } = this.world;
    const expected = this.#expectation(kind);
    const target = this.#random.between(this.#startOffset, log.logEndOffset);
    const start = this.#random.between(this.#startOffset, log.flushedOffset);
    const change = this.#random.pick(['truncate', 'delete', 'retain', 'close', 'roll'] as const);
    const work: Promise<void>[] = [];
    if (change === 'truncate') {
      work.push(log.truncateTo(offset(target)));
      const cut = this.#batches.find((batch) => batch.lastOffset >= target);
      expected.leastEnd = Math.min(expected.leastEnd, cut?.baseOffset ?? target);
      expected.leastStart = Math.min(expected.leastStart, expected.leastEnd);
    }
    if (change === 'delete') work.push(log.advanceLogStart(offset(start)));
    if (change === 'delete') expected.mostStart = Math.max(expected.mostStart, start);
    if (change === 'retain') work.push(log.applyRetention(null, log.flushedOffset));
    if (change === 'retain') expected.mostStart = log.flushedOffset;
    if (change === 'close') work.push(this.world.directory.close());
    if (change === 'roll') log.roll();
    if (change !== 'truncate' && change !== 'close') {
      for (let i = this.#random.below(3); i > 0; i--) this.#append();
      expected.mostEnd = log.logEndOffset;
    }
    // What was begun never ends: its process is gone.
    for (const promise of work) promise.catch(() => {});
    await this.world.settle(this.#random.below(40));
    await this.#crashAndOpen(kind);
    await this.#expect(expected);
    this.#count(`crash in ${change}`);
  }

  async #crashAndOpen(kind: 'power' | 'process'): Promise<void> {
    this.world.crash(kind);
    while (this.#random.chance(0.3)) {
      this.world.beginOpening().catch(() => {});
      await this.world.settle(this.#random.below(20));
      this.world.crash(this.#random.pick(['power', 'process']));
      this.#count('crash in recovery');
    }
    await this.world.open();
  }

  #expectation(kind: 'clean' | 'power' | 'process'): Expectation {
    const { log } = this.world;
    const isPower = kind === 'power' || this.#durability === 'durable';
    return {
      // A power cut may also follow the death of the process.
      leastEnd: isPower ? log.durableOffset : Math.min(log.durableOffset, log.flushedOffset),
      mostEnd: log.logEndOffset,
      leastStart: this.#startOffset,
      mostStart: this.#startOffset,
    };
  }

  async #expect(expected: Expectation): Promise<void> {
    const { log } = this.world;
    expect(log.corruption).toBe(null);
    expect(log.logEndOffset).toBeGreaterThanOrEqual(expected.leastEnd);
    expect(log.logEndOffset).toBeLessThanOrEqual(expected.mostEnd);
    expect(log.logStartOffset).toBeGreaterThanOrEqual(expected.leastStart);
    expect(log.logStartOffset).toBeLessThanOrEqual(expected.mostStart);
    this.#startOffset = log.logStartOffset;
    const lost = this.#endAt(log.logEndOffset);
    this.#epoch = Math.max(this.#epoch, log.leaderEpochs.latestEpoch);
    this.#watch();
    this.#afterLoss(lost);
    await this.#check();
  }

  /** Everything of the model is in the log, with the same bytes. */
  async #check(): Promise<void> {
    expect(this.#wrong).toEqual([]);
    const found = await this.world.readAll(this.#startOffset);
    const wanted = this.#batches.filter((batch) => batch.lastOffset >= this.#startOffset);
    expect(found.length).toBe(wanted.length);
    found.forEach((bytes, i) => {
      expect(Buffer.compare(bytes, wanted[i]!.bytes)).toBe(0);
      const { baseOffset, lastOffset, leaderEpoch } = new BatchView(bytes, 0);
      expect(baseOffset).toBe(wanted[i]!.baseOffset);
      expect(this.world.log.leaderEpochs.epochAt(lastOffset)).toBe(leaderEpoch);
    });
    for (let i = 0; i < 2; i++) this.#repeat();
    // A write that is under way may be on the disk in part.
    const { log, env } = this.world;
    while (log.flushedOffset < log.logEndOffset) await this.world.settle(1);
    const { files } = env;
    if ((await this.world.run(files.stat(FOLDER))) === undefined) return;
    const findings: unknown[] = [];
    const all = (async () => {
      for await (const finding of verifyFolder(files, FOLDER)) findings.push(finding);
    })();
    await this.world.run(all);
    expect(findings).toEqual([]);
  }

  /** Returns what the log has lost. */
  #endAt(endOffset: number): Stored[] {
    const lost = this.#batches.filter((batch) => batch.lastOffset >= endOffset);
    this.#batches = this.#batches.filter((batch) => batch.lastOffset < endOffset);
    return lost;
  }

  /** Producers send again what was lost, or give it up: the same sequences never come with other bytes. */
  #afterLoss(lost: readonly Stored[]): void {
    if (lost.length === 0) return;
    if (this.#random.chance(0.5)) {
      this.#newProducerEpochs();
      return;
    }
    const { log } = this.world;
    for (const batch of lost) {
      if (batch.producer < 0) continue;
      const bytes = batch.sent.slice();
      const baseOffset = log.logEndOffset;
      const outcome = log.append(bytes, this.#epoch as never, 'client');
      // What is not in the log is not taken for a repetition.
      expect(outcome).toMatchObject({ ok: true, baseOffset, duplicate: false });
      const lastOffset = baseOffset + batch.lastOffset - batch.baseOffset;
      this.#batches.push({ ...batch, baseOffset, lastOffset, bytes });
      this.#count('send again');
    }
  }

  /** What counts as flushed is never beyond the end. */
  #watch(): void {
    const { log } = this.world;
    log.onFlushed = (flushed) => {
      const { logStartOffset: start, logEndOffset: end } = log;
      if (flushed < start || flushed > end) this.#wrong.push(`${flushed} of ${start} to ${end}`);
    };
  }

  #newProducerEpochs(): void {
    this.#producers = this.#producers.map((producer) => ({
      id: producer.id + 3,
      epoch: 0,
      nextSequence: 0,
    }));
  }
}

import { describe, expect, test } from 'vitest';
import { type FinalLog, History, type Mark, type Read, type Send } from '../history.ts';
import { violationsOf } from './all.ts';

/** A history in which two records were sent to a durable topic, acknowledged and read. */
class Story {
  readonly history = new History();
  readonly reads: Read[] = [];
  startOffset = 0;
  endOffset = 2;

  constructor(durability: 'durable' | 'replicated' = 'durable') {
    const topic = {
      key: 't',
      name: 't',
      durability,
      expiry: 'never',
      hasAppendTime: false,
    } as const;
    this.history.topics.set('t', topic);
    this.send(0, { invokedMs: 10, settledMs: 20 });
    this.send(1, { invokedMs: 30, settledMs: 40 });
    this.read(0, { atMs: 50 });
    this.read(1, { atMs: 60 });
  }

  send(offset: number, given: Partial<Send> = {}): Send {
    const { history } = this;
    const send: Send = {
      id: history.sends.length,
      producer: 'p',
      topic: 't',
      recordKey: null,
      bytes: 10,
      timestampMs: 0,
      invokedMs: 0,
      outcome: 'ok',
      settledMs: 1,
      era: 0,
      partition: 0,
      offset,
      error: '',
      ...given,
    };
    history.sends.push(send);
    return send;
  }

  /** By a consumer, and, if it is still there then, by the last one. */
  read(offset: number, given: Partial<Read> = {}): Read {
    const read: Read = {
      reader: 'r',
      topic: 't',
      partition: 0,
      offset,
      sendId: offset,
      isIntact: true,
      atMs: 100,
      era: 0,
      ...given,
    };
    this.history.reads.push(read);
    this.reads.push(read);
    return read;
  }

  mark(kind: Mark['kind'], offset: number, invokedMs: number): void {
    this.history.marks.push({ topic: 't', partition: 0, kind, offset, invokedMs, era: 0 });
  }

  /** Names of the checkers that are red. */
  get red(): string[] {
    const { startOffset, endOffset, reads } = this;
    const log: FinalLog = { topic: 't', partition: 0, startOffset, endOffset, wallMs: 1000, reads };
    this.history.finalLogs.push(log);
    return [...new Set(violationsOf(this.history).map(({ checker }) => checker))];
  }
}

const story = (change: (story: Story) => void, durability?: 'replicated'): string[] => {
  const made = new Story(durability);
  change(made);
  return made.red;
};

describe('the checkers', () => {
  test('find nothing in a history that is right', () => {
    expect(story(() => {})).toEqual([]);
  });

  test('find an acknowledged record that is not there', () => {
    const red = story((s) => {
      s.send(2, { invokedMs: 70, settledMs: 80 });
    });
    expect(red).toEqual(['acknowledgedRecordsStay']);
  });

  test('find an acknowledged record that is somewhere else', () => {
    const red = story((s) => {
      s.send(2, { id: 2 });
      s.send(3, { id: 3 });
      s.read(2, { sendId: 3 });
      s.read(3, { sendId: 2 });
      s.endOffset = 4;
    });
    expect(red).toContain('acknowledgedRecordsStay');
    expect(red).toContain('oneValuePerOffset');
    expect(red).toContain('orderIsKept');
  });

  test('excuse a power cut in a replicated topic, but not a process crash', () => {
    const lost = (s: Story): void => {
      s.send(2, { invokedMs: 70, settledMs: 80 });
    };
    const cut = (s: Story): void => {
      lost(s);
      s.history.era = 1;
    };
    expect(story(cut, 'replicated')).toEqual([]);
    expect(story(lost, 'replicated')).toEqual(['acknowledgedRecordsStay']);
    expect(story(cut)).toEqual(['acknowledgedRecordsStay']);
  });

  test('let records go that were deleted on request, and only those', () => {
    const deleted = (beforeOffset: number, outcome: 'ok' | 'unknown') => (s: Story) => {
      s.reads.shift();
      s.startOffset = 1;
      s.history.deletions.push({ topic: 't', partition: 0, beforeOffset, outcome });
    };
    expect(story(deleted(1, 'ok'))).toEqual([]);
    expect(story(deleted(1, 'unknown'))).toEqual([]);
    expect(story(deleted(0, 'ok'))).toEqual(['acknowledgedRecordsStay']);
    expect(story(deleted(2, 'ok'))).toEqual(['acknowledgedRecordsStay']);
  });

  test('find records that nobody sent, that are changed, and that are not stored', () => {
    const extra = (given: Partial<Read>, sent: Partial<Send> = {}) =>
      story((s) => {
        s.send(-1, { outcome: 'unknown', ...sent });
        s.read(2, given);
        s.endOffset = 3;
      });
    expect(extra({ sendId: 2 })).toEqual([]);
    expect(extra({ sendId: -1 })).toEqual(['nothingIsInvented']);
    expect(extra({ isIntact: false })).toEqual(['nothingIsInvented']);
    expect(extra({}, { outcome: 'failed' })).toEqual(['nothingIsInvented']);
    expect(extra({}, { topic: 'other' })).toEqual(['nothingIsInvented']);
  });

  test('find that an offset held two records', () => {
    const red = story((s) => {
      s.history.reads.push({ ...s.reads[0]!, reader: 'other', sendId: 1 });
    });
    expect(red).toEqual(['oneValuePerOffset']);
  });

  test('find that what was read is gone', () => {
    const red = story((s) => {
      s.send(-1, { outcome: 'unknown' });
      s.read(2);
      s.reads.pop();
    });
    expect(red).toEqual(['readsAreStable']);
  });

  test('find gaps, in a log and on the way of a consumer', () => {
    expect(
      story((s) => {
        s.endOffset = 3;
      }),
    ).toEqual(['offsetsAreDense']);
    expect(
      story((s) => {
        s.history.reads.push({ ...s.reads[0]! });
      }),
    ).toEqual(['offsetsAreDense']);
  });

  test('find a record that stands twice, and two of one producer that have swapped', () => {
    expect(
      story((s) => {
        s.read(2, { sendId: 1 });
        s.endOffset = 3;
      }),
    ).toEqual(['orderIsKept']);
    expect(
      story((s) => {
        s.send(-1, { outcome: 'unknown' });
        s.send(2, { invokedMs: 70, settledMs: 80 });
        s.read(2, { sendId: 3 });
        s.read(3, { sendId: 2 });
        s.endOffset = 4;
      }),
    ).toEqual(['orderIsKept']);
  });

  test('find that what was acknowledged before stands behind', () => {
    const red = story((s) => {
      s.send(3, { producer: 'a', invokedMs: 50, settledMs: 60 });
      s.send(2, { producer: 'b', invokedMs: 70, settledMs: 80 });
      s.read(2, { sendId: 3 });
      s.read(3, { sendId: 2 });
      s.endOffset = 4;
    });
    expect(red).toEqual(['orderIsKept']);
  });

  test('find marks that fall, and an end that is below what was acknowledged', () => {
    const marks = (...given: [Mark['kind'], number, number][]) =>
      story((s) => {
        for (const mark of given) s.mark(...mark);
      });
    expect(marks(['end', 0, 5], ['end', 1, 21], ['end', 2, 41])).toEqual([]);
    expect(marks(['end', 2, 41], ['end', 1, 42])).toEqual(['marksAreMonotone']);
    expect(marks(['start', 1, 41], ['start', 0, 42])).toEqual(['marksAreMonotone']);
    expect(marks(['end', 1, 41])).toEqual(['marksAreMonotone']);
  });

  test('find a producer id that was handed out twice', () => {
    const red = story((s) => {
      s.history.producerIds.push(1, 2, 1);
    });
    expect(red).toEqual(['producerIdsAreUnique']);
  });

  test('find topics that are lost, come back, or are not as they were made', () => {
    const facts = { partitionCount: 2, configs: new Map([['retention.ms', '5']]) };
    const found = { ...facts, topicId: 'id', leaderEpochs: [1, 1] };
    const looks = (...given: [typeof facts | undefined, typeof found | undefined][]) =>
      story((s) => {
        for (const [expected, seen] of given) {
          const description = { topic: 't', name: 't', expected, found: seen, atMs: 0 };
          s.history.descriptions.push(description);
        }
      });
    const red = ['metadataStays'];
    expect(looks([facts, found], [facts, { ...found, leaderEpochs: [2, 1] }])).toEqual([]);
    expect(looks([undefined, undefined])).toEqual([]);
    expect(looks([facts, undefined])).toEqual(red);
    expect(looks([undefined, found])).toEqual(red);
    expect(looks([facts, { ...found, partitionCount: 1 }])).toEqual(red);
    expect(looks([facts, { ...found, configs: new Map() }])).toEqual(red);
    expect(looks([facts, found], [facts, { ...found, topicId: 'other' }])).toEqual(red);
    expect(looks([facts, found], [facts, { ...found, leaderEpochs: [0, 1] }])).toEqual(red);
  });

  test('find what the broker complains of, what the disk lacks, and a slow start', () => {
    const red = story((s) => {
      s.history.complaints.push('a log is damaged');
      s.history.findings.push('a file is torn');
      s.history.lives.push({ number: 0, followsCleanStop: true, recoveredLogs: 1, end: '' });
    });
    expect(red).toEqual(['brokerDoesNotComplain', 'cleanStopIsQuickToStart', 'diskIsSound']);
  });
});

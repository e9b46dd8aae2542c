import { byPartition, type History, type Read } from '../history.ts';

/**
 * C2 and the first half of C3: all that is ever read or acknowledged at an offset is the same record.
 * After a power cut the tail of a topic with `durability=replicated` may be written anew.
 */
export function oneValuePerOffset(history: History): string[] {
  const problems: string[] = [];
  const acknowledged = history.sends
    .filter(({ outcome }) => outcome === 'ok')
    .map((send) => ({ ...send, sendId: send.id }));
  for (const [partition, events] of byPartition<Seen>([...acknowledged, ...history.reads])) {
    const isDurable = history.topicOf(events[0]!).durability === 'durable';
    const seen = new Map<string, number>();
    for (const { offset, sendId, era } of events) {
      const place = isDurable ? `${offset}` : `${offset} in era ${era}`;
      const before = seen.get(place) ?? sendId;
      seen.set(place, before);
      if (before !== sendId) {
        problems.push(`offset ${place} of ${partition} was record ${before} and record ${sendId}`);
      }
    }
  }
  return problems;
}

type Seen = Pick<Read, 'topic' | 'partition' | 'offset' | 'sendId' | 'era'>;

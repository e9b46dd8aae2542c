import type { History } from '../history.ts';

/** I6: a producer id is handed out once, whatever crashes. */
export function producerIdsAreUnique(history: History): string[] {
  const seen = new Set<number>();
  const repeated = new Set<number>();
  for (const id of history.producerIds) {
    if (seen.has(id)) repeated.add(id);
    seen.add(id);
  }
  return [...repeated].map((id) => `producer id ${id} was handed out twice`);
}

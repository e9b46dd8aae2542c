import { PARTITIONS_AT_A_TIME } from '../broker/offsets.ts';
import { mapLimited } from '../log/serial-lane.ts';

/** Does something for every partition of a request; the answers stand as the questions did. */
export async function mapPartitions<In, Out>(
  topics: readonly { readonly name: string; readonly partitions: readonly In[] }[],
  work: (topic: string, partition: In) => Promise<Out>,
): Promise<{ readonly name: string; readonly partitions: readonly Out[] }[]> {
  const questions = topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => ({ name, partition })),
  );
  const answers = await mapLimited(questions, PARTITIONS_AT_A_TIME, ({ name, partition }) =>
    work(name, partition),
  );
  let next = 0;
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(() => answers[next++]!),
  }));
}

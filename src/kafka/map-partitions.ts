import { forEachLimited } from '../log/serial-lane.ts';

/** One request works on so many partitions at a time: each may read from the disk, or sync it. */
const CONCURRENCY = 8;

/** Does something for every partition of a request; the answers stand as the questions did. */
export async function mapPartitions<In, Out>(
  topics: readonly { readonly name: string; readonly partitions: readonly In[] }[],
  work: (topic: string, partition: In) => Promise<Out>,
): Promise<{ readonly name: string; readonly partitions: readonly Out[] }[]> {
  const answers = topics.map(({ name }) => ({ name, partitions: [] as Out[] }));
  const questions = topics.flatMap(({ name, partitions }, at) =>
    partitions.map((partition, index) => ({ name, partition, at, index })),
  );
  await forEachLimited(questions, CONCURRENCY, async ({ name, partition, at, index }) => {
    answers[at]!.partitions[index] = await work(name, partition);
  });
  return answers;
}

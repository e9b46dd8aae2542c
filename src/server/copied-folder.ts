import type { FileSystem } from '../env/ports.ts';
import { readBatches } from '../log/inspect.ts';
import type { ProducerId } from '../model/ids.ts';
import { readControlRecord } from '../records/control-batch.ts';

/**
 * Reads all batches in the folder of a partition that was copied from a Kafka.
 *
 * @throws Error for what a node could not serve as it is: an unsound batch, also at the end, where a node
 * takes it for the work of a crash and cuts it off; and records of transactions that were not committed,
 * which readers would not tell from others, as this version has no transactions
 */
export async function checkCopiedFolder(folder: string, files: FileSystem): Promise<void> {
  /** Producers whose last transaction has records here and no end. */
  const open = new Set<ProducerId>();
  for await (const found of readBatches(files, folder)) {
    const { file, position } = found;
    const refuse = (problem: string): Error =>
      new Error(`nothing was adopted: ${folder}/${file} at byte ${position}: ${problem}`);
    if ('problem' in found) {
      throw refuse(
        `${found.problem}; copy it again from a broker that was stopped, or cut the file there if what follows may go`,
      );
    }
    const { batch } = found;
    if (!batch.isTransactional) continue;
    if (!batch.isControl) open.add(batch.producerId);
    else if (readControlRecord(batch)?.type !== 'abort') open.delete(batch.producerId);
    else if (open.has(batch.producerId)) {
      throw refuse(`a transaction of producer ${batch.producerId} is aborted; ${NO_TRANSACTIONS}`);
    }
  }
  const [unfinished] = open;
  if (unfinished === undefined) return;
  throw new Error(
    `nothing was adopted: ${folder}: a transaction of producer ${unfinished} is not finished; ${NO_TRANSACTIONS}`,
  );
}

const NO_TRANSACTIONS =
  'this version has no transactions, and readers would take its records for committed ones';

import type { FileSystem } from '../../../src/env/ports.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';

export const SEGMENT = '00000000000000000000.log';

/** Writes the folder of a partition with one segment: a batch for each list of values. */
export async function writePartition(
  files: FileSystem,
  folder: string,
  batches: readonly (readonly string[])[],
): Promise<number[]> {
  await files.makeDirectory(folder);
  const file = await files.open(`${folder}/${SEGMENT}`, 'create');
  const positions: number[] = [];
  let position = 0;
  let offset = 0;
  for (const values of batches) {
    const builder = new BatchBuilder({ compression: 0 });
    for (const value of values) {
      builder.append({ key: null, value: Buffer.from(value), timestampMs: 1000 + offset });
    }
    const bytes = builder.build(offset);
    positions.push(position);
    await file.write(position, [bytes]);
    position += bytes.length;
    offset += values.length;
  }
  await file.close();
  return positions;
}

/** Changes one byte of a file. */
export async function flipByte(files: FileSystem, path: string, position: number): Promise<void> {
  const file = await files.open(path, 'write');
  const [byte] = await file.read(position, 1);
  await file.write(position, [Uint8Array.of(byte! ^ 0xff)]);
  await file.close();
}

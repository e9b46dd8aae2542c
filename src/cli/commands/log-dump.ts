import { compressionName, isCompression } from '../../codec/compression.ts';
import { CorruptError } from '../../codec/reader.ts';
import { type InspectedBatch, readBatches } from '../../log/inspect.ts';
import type { BatchView } from '../../records/batch-view.ts';
import { RecordCursor } from '../../records/record-cursor.ts';
import { ChunkedOutput } from '../chunked-output.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { findPartitionFolders } from '../partition-folders.ts';
import { recordFields } from '../record-text.ts';

export interface LogDumpOptions {
  readonly records?: boolean;
  readonly json?: boolean;
}

/** What the records of one batch may come to when they are decompressed. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;

/**
 * `varve log dump`: a line for each batch, and one for each record if asked for, offline. What is
 * damaged is told on standard error, the rest is still shown, and the command fails at its end.
 */
export async function dumpLog(
  path: string,
  options: LogDumpOptions,
  context: CommandContext,
): Promise<void> {
  const { env, errors, signal } = context;
  const output = new ChunkedOutput(context.output);
  let damaged = 0;
  const report = (place: string, problem: string): void => {
    damaged++;
    errors.tell(`varve: ${place}: ${problem}\n`);
  };
  for (const folder of await findPartitionFolders(env.files, path)) {
    for await (const found of readBatches(env.files, folder.path)) {
      signal.throwIfAborted();
      const place = `${folder.path}/${found.file}:${found.position}`;
      if ('problem' in found) {
        report(place, found.problem);
        continue;
      }
      try {
        await writeBatch(folder.path, found, options, output);
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
        report(place, error.message);
      }
    }
  }
  await output.flush();
  if (damaged > 0) {
    const places = damaged === 1 ? 'one place' : `${damaged} places`;
    throw new CommandError(ExitCode.failure, `${path} is damaged in ${places}`);
  }
}

async function writeBatch(
  folder: string,
  { file, position, batch }: InspectedBatch,
  { json, records }: LogDumpOptions,
  output: ChunkedOutput,
): Promise<void> {
  const fields = batchFields(batch);
  if (json) {
    output.add(jsonLine({ type: 'batch', file: `${folder}/${file}`, position, ...fields }));
  } else {
    const words = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
    output.add(`${folder}/${file}:${position} ${words.join(' ')}\n`);
  }
  if (records) {
    const cursor = new RecordCursor(batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
    while (cursor.advance()) {
      const { offset, timestamp: timestampMs, key, value, headers } = cursor;
      const record = recordFields({ offset, timestampMs, key, value, headers });
      output.add(json ? jsonLine({ type: 'record', ...record }) : `  ${jsonLine(record)}`);
      if (output.isFull) await output.flush();
    }
  }
  if (output.isFull) await output.flush();
}

const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;

function batchFields(batch: BatchView): Record<string, string | number | boolean> {
  const { compression } = batch;
  return {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    recordCount: batch.recordCount,
    sizeInBytes: batch.sizeInBytes,
    leaderEpoch: batch.leaderEpoch,
    compression: isCompression(compression) ? compressionName(compression) : compression,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
  };
}

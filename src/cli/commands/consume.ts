import type { Client } from '../../client/main.ts';
import { ChunkedOutput } from '../chunked-output.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { type ReadRecord, recordFields } from '../record-text.ts';
import type { StartPosition } from '../start-position.ts';

export interface ConsumeOptions extends ConnectionOptions {
  readonly partition?: number;
  /** `latest` if not given, or `earliest` with `untilEnd`. */
  readonly from?: StartPosition;
  readonly untilEnd?: boolean;
  readonly maxRecords?: number;
  readonly format: 'value' | 'json';
  readonly keySeparator?: string;
}

const LINE_FEED = Buffer.from('\n');

/** `varve consume`: writes records, in order within each partition, until it is told to stop. */
export async function consume(
  topic: string,
  options: ConsumeOptions,
  context: CommandContext,
): Promise<void> {
  if (options.maxRecords === 0) return;
  await withClient(context, options, (client) => copyRecords(topic, options, context, client));
}

async function copyRecords(
  topic: string,
  options: ConsumeOptions,
  context: CommandContext,
  client: Client,
): Promise<void> {
  const { partition, untilEnd, maxRecords = Number.POSITIVE_INFINITY } = options;
  const consumer = client.consumer({
    topics: [partition === undefined ? topic : { topic, partition }],
    from: resolvePosition(options, context.env.clock.wallMs()),
    ...(untilEnd ? { until: 'end' as const } : {}),
    signal: context.signal,
  });
  const output = new ChunkedOutput(context.output);
  let left = maxRecords;
  try {
    for await (const batch of consumer.batches()) {
      for (const record of batch.records) {
        addLine(output, record, options);
        if (output.isFull) await output.flush();
        left--;
        if (left === 0) break;
      }
      // What has arrived is shown before we wait for more.
      await output.flush();
      if (left === 0) break;
    }
  } finally {
    await consumer.close();
  }
}

interface ConsumedRecord extends ReadRecord {
  readonly partition: number;
}

type ClientPosition = Exclude<StartPosition, { readonly agoMs: number }>;

function resolvePosition({ from, untilEnd }: ConsumeOptions, nowMs: number): ClientPosition {
  if (from === undefined) return untilEnd ? 'earliest' : 'latest';
  if (typeof from === 'object' && 'agoMs' in from) {
    return { timestampMs: Math.max(0, nowMs - from.agoMs) };
  }
  return from;
}

/** A record as a line of what `--format` says. Null is written as nothing, and bytes as they are. */
function addLine(
  output: ChunkedOutput,
  record: ConsumedRecord,
  { format, keySeparator }: ConsumeOptions,
): void {
  if (format === 'json') {
    output.add(JSON.stringify({ partition: record.partition, ...recordFields(record) }));
  } else {
    if (keySeparator !== undefined) {
      if (record.key !== null) output.add(record.key);
      output.add(keySeparator);
    }
    if (record.value !== null) output.add(record.value);
  }
  output.add(LINE_FEED);
}

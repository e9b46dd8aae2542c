import type { BatchView } from '../../src/records/batch-view.ts';
import { splitBatches } from '../../src/records/validate-batch.ts';
import type { ProduceRequest } from '../../src/rpc/log-messages.ts';

/** Values `from` to below `to` as texts, which tests send to see order and completeness. */
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

/** The batches in a request, for what their headers say. */
export const batchesOf = (request: ProduceRequest): BatchView[] =>
  request.partitions.flatMap(({ records }) => splitBatches(records));

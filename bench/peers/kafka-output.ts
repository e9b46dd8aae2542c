/**
 * Reads what Kafka's own load tools print (4.3.1). Their "MB" are 2^20 bytes, so bandwidth is
 * always computed from records here.
 */

export interface ToolRun {
  readonly records: number;
  readonly recordsPerSecond: number;
}

/**
 * `ProducerPerformance`: the summary of its steady state if it ran with `--warmup-records`, else of
 * the whole run.
 */
export function readProducerPerformance(lines: readonly string[]): ToolRun {
  const summaries = lines
    .map((line) =>
      /^(\d+) (?:steady state )?records sent, ([\d.]+) records\/sec .*99\.9th/.exec(line),
    )
    .filter((match) => match !== null);
  const last = summaries.at(-1);
  if (last === undefined) throw unreadable('ProducerPerformance', lines);
  return { records: Number(last[1]), recordsPerSecond: Number(last[2]) };
}

/** `ConsumerPerformance`: the rate of fetching, without the time it took to join the group. */
export function readConsumerPerformance(lines: readonly string[]): ToolRun {
  const header = lines.findIndex((line) => line.startsWith('start.time,'));
  const names = (lines[header] ?? '').split(', ');
  const values = (lines[header + 1] ?? '').split(', ');
  const column = (name: string) => Number(values[names.indexOf(name)]);
  const run: ToolRun = {
    records: column('data.consumed.in.nMsg'),
    recordsPerSecond: column('fetch.nMsg.sec'),
  };
  if (!(run.records > 0 && run.recordsPerSecond > 0)) {
    throw unreadable('ConsumerPerformance', lines);
  }
  return run;
}

/**
 * `EndToEndLatency`, in ms. It prints percentiles as whole milliseconds, rounded down; a 0 says too
 * little to be kept.
 */
export interface EndToEnd {
  readonly mean: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
}

export function readEndToEndLatency(lines: readonly string[]): EndToEnd {
  const text = lines.join('\n');
  const mean = /^Avg latency: ([\d.]+) ms$/m.exec(text);
  const parts = /^Percentiles: 50th = (\d+), 99th = (\d+), 99\.9th = (\d+)$/m.exec(text);
  if (mean === null || parts === null) throw unreadable('EndToEndLatency', lines);
  const [p50, p99, p999] = parts.slice(1).map(Number) as [number, number, number];
  return {
    mean: Number(mean[1]),
    ...(p50 > 0 && { p50 }),
    ...(p99 > 0 && { p99 }),
    ...(p999 > 0 && { p999 }),
  };
}

function unreadable(tool: string, lines: readonly string[]): Error {
  return new Error(`cannot read the output of ${tool}: ${lines.slice(-5).join(' | ')}`);
}

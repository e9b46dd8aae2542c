import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { connect } from '../../src/client/main.ts';
import { BrokerProcess, TemporaryFolder } from '../support/processes.ts';
import { BATCH_BYTES, OfferedLoad, type Phase, RECORDS_PER_BATCH } from './offered-load.ts';

const TOPIC = 'overload';
/** One stream and one connection each. */
const PARTITIONS = 8;
/** What the broker may hold of requests: far less than the clients would have unanswered. */
const LIMIT_MIB = 4;
const DEPTHS = [1, 2, 4, 8, 16, 24];
const DEPTH_MS = 3_000;
const TIMES = 3;
/** Of the best rate, as the issue asks. */
const GOODPUT = 0.8;
/** What an idle broker takes, its caches, and the limit twice: in requests, and in the sockets. */
const MEMORY_MIB = 320;

/**
 * Offers three times what the broker can take, with one core for each. True if it still takes most of
 * its best, within its memory, and keeps all that it acknowledged.
 */
export async function overload(seconds: number): Promise<boolean> {
  using folder = new TemporaryFolder();
  await using broker = new BrokerProcess(
    `${folder.path}/data`,
    ...['--set', `queued.max.request.bytes=${LIMIT_MIB}MiB`],
    ...['--set', 'log.tail.cache.bytes=16MiB'],
  );
  await broker.start();
  pin(broker.pid, 0);
  pin(process.pid, 1);
  await using client = await connect({ brokers: [broker.address] });
  await client.admin().createTopic({ name: TOPIC, partitionCount: PARTITIONS });
  const load = new OfferedLoad(broker.address, TOPIC, PARTITIONS);

  await load.closedLoop(2, DEPTH_MS);
  let best = 0;
  for (const depth of DEPTHS) {
    const phase = await load.closedLoop(depth, DEPTH_MS);
    const perSecond = (phase.acknowledged * 1_000) / DEPTH_MS;
    if (phase.refused === 0) best = Math.max(best, perSecond);
    console.log(`${depth} a stream unanswered: ${describe(phase, DEPTH_MS / 1_000)}`);
  }
  const idleCpu = cpuSeconds(broker.pid);
  const phase = await load.openLoop(best * TIMES, seconds * 1_000);
  const busy = (cpuSeconds(broker.pid) - idleCpu) / seconds;
  const goodput = phase.acknowledged / seconds / best;
  const peakMib = peakMemoryMib(broker.pid);
  await load.close();
  const missing = await notKept(broker.address, load);

  console.log(`${TIMES} times the best: ${describe(phase, seconds)}`);
  console.log(`the broker had ${(busy * 100).toFixed(0)} % of its core`);
  console.log(
    `goodput ${(goodput * 100).toFixed(0)} % of the best, at least ${GOODPUT * 100} wanted`,
  );
  console.log(`the broker took ${peakMib} MiB at most, ${MEMORY_MIB} allowed`);
  console.log(`${missing} acknowledged batches are not kept`);
  return goodput >= GOODPUT && peakMib <= MEMORY_MIB && missing === 0;
}

function describe(phase: Phase, seconds: number): string {
  const perSecond = (count: number): string => `${Math.round(count / seconds)}/s`;
  const mb = ((phase.acknowledged * BATCH_BYTES) / seconds / 1e6).toFixed(0);
  return [
    `${perSecond(phase.offered)} offered`,
    `${perSecond(phase.acknowledged)} acknowledged (${mb} MB/s, ${percentiles(phase.acknowledgedMs)})`,
    `${perSecond(phase.refused)} refused${phase.refused === 0 ? '' : ` (${percentiles(phase.refusedMs)})`}`,
    `${perSecond(phase.shed)} held up by flow control`,
  ].join(', ');
}

function percentiles(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

/** How many batches that were acknowledged a consumer does not find. */
async function notKept(address: string, load: OfferedLoad): Promise<number> {
  await using client = await connect({ brokers: [address] });
  const consumer = client.consumer({ topics: [TOPIC], from: 'earliest', until: 'end' });
  for await (const { partition, nextOffset } of consumer.batches()) {
    load.acknowledged[partition]!.delete(nextOffset - RECORDS_PER_BATCH);
  }
  return load.acknowledged.reduce((sum, offsets) => sum + offsets.size, 0);
}

/** Ties all threads of a process to a core, where the system can. */
function pin(pid: number, core: number): void {
  if (cpus().length < 2) return;
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
  if (status !== 0) console.log('taskset is missing: broker and load share the cores');
}

/** CPU time of all threads of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100;

function peakMemoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024);
}

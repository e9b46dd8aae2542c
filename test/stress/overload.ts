import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { connect } from '../../src/client/main.ts';
import { BrokerProcess, TemporaryFolder } from '../support/processes.ts';
import { BATCH_BYTES, OfferedLoad, type Phase, RECORDS_PER_BATCH } from './offered-load.ts';

const TOPIC = 'overload';
/** One stream and one connection each. */
const PARTITIONS = 8;
const MIB = 1024 * 1024;
/** What the broker may hold of requests: half of what the clients may have unanswered. */
const LIMIT_MIB = 4;
const CREDIT_MIB = 1;
/** Up to all the credit of a stream. */
const DEPTHS = [1, 4, 16, 32, 60];
const DEPTH_MS = 3_000;
const TIMES = 3;
/** Of the best rate, as the issue asks. */
const GOODPUT = 0.8;
/** What an idle broker takes, its caches, and the limit twice: in requests, and in the sockets. */
const MEMORY_MIB = 320;
/**
 * What is unanswered, N bytes, and the rate R say how long an answer takes on average, N/R. The worst of
 * a hundred may take so many times as long: some wait for an fsync that takes long, or are unlucky.
 */
const WORST_TIMES = 5;

/**
 * Offers three times what the broker can take, with one core for each. True if it still takes most of
 * its best, within its memory, in a bounded time, and keeps all that it acknowledged.
 */
export async function overload(seconds: number): Promise<boolean> {
  if (cpus().length < 2 || spawnSync('taskset', ['-V']).status !== 0) {
    console.log('SKIPPED: it takes two cores, and taskset to give one to the broker');
    return true;
  }
  using folder = new TemporaryFolder();
  await using broker = new BrokerProcess(
    `${folder.path}/data`,
    ...['--set', `queued.max.request.bytes=${LIMIT_MIB}MiB`],
    ...['--set', `grpc.produce.credit.bytes=${CREDIT_MIB}MiB`],
    ...['--set', 'log.tail.cache.bytes=16MiB'],
  );
  await broker.start();
  pin(broker.pid, 0);
  pin(process.pid, 1);
  await using client = await connect({ brokers: [broker.address] });
  await client.admin().createTopic({ name: TOPIC, partitionCount: PARTITIONS });
  const load = new OfferedLoad(broker.address, TOPIC, PARTITIONS);

  const best = await bestRate(load, broker.pid);
  const verdicts: boolean[] = [];
  for (const keepsToCredit of [true, false]) {
    load.keepsToCredit = keepsToCredit;
    const name = keepsToCredit ? 'within their credit' : 'whatever their credit';
    console.log(`${TIMES} times the best, ${name}:`);
    const { phase, perCpuSecond } = await measured(broker.pid, () =>
      load.openLoop(best.perSecond * TIMES, (seconds * 1_000) / 2),
    );
    const perSecond = phase.acknowledged / (seconds / 2);
    const percent = (value: number, of: number): string => `${((100 * value) / of).toFixed(0)} %`;
    console.log(`  ${describe(phase, seconds / 2)}`);
    console.log(
      `  goodput ${percent(perSecond, best.perSecond)} of the best, at least ${GOODPUT * 100} wanted; ${percent(perCpuSecond, best.perCpuSecond)} for each second of the broker's CPU, of which it got ${percent(perSecond, perCpuSecond)}`,
    );
    verdicts.push(perSecond >= GOODPUT * best.perSecond);
    // Who does not care has more under way, in its own buffers and the system's: that is up to him.
    if (keepsToCredit) verdicts.push(isBounded(phase, perSecond));
  }
  const peakMib = peakMemoryMib(broker.pid);
  await load.close();
  const missing = await notKept(broker.address, load);
  console.log(`the broker took ${peakMib} MiB at most, ${MEMORY_MIB} allowed`);
  console.log(`${missing} acknowledged batches are not kept`);
  return verdicts.every((isRight) => isRight) && peakMib <= MEMORY_MIB && missing === 0;
}

interface Rate {
  /** Requests that were acknowledged. */
  readonly perSecond: number;
  /** The same for each second of the broker's CPU: what else runs on the machine counts less. */
  readonly perCpuSecond: number;
}

/** With as many requests unanswered as is best. */
async function bestRate(load: OfferedLoad, pid: number): Promise<Rate> {
  await load.closedLoop(2, DEPTH_MS);
  let best: Rate = { perSecond: 0, perCpuSecond: 0 };
  for (const depth of DEPTHS) {
    const { phase, perCpuSecond } = await measured(pid, () => load.closedLoop(depth, DEPTH_MS));
    const perSecond = (phase.acknowledged * 1_000) / DEPTH_MS;
    if (perSecond > best.perSecond) best = { perSecond, perCpuSecond };
    console.log(`${depth} a stream unanswered: ${describe(phase, DEPTH_MS / 1_000)}`);
  }
  return best;
}

async function measured(
  pid: number,
  run: () => Promise<Phase>,
): Promise<{ readonly phase: Phase; readonly perCpuSecond: number }> {
  const before = cpuSeconds(pid);
  const phase = await run();
  return { phase, perCpuSecond: phase.acknowledged / (cpuSeconds(pid) - before) };
}

/** Whether acknowledgements took as long as what may be unanswered explains. */
function isBounded(phase: Phase, perSecond: number): boolean {
  const ms = (PARTITIONS * CREDIT_MIB * MIB * 1_000) / (perSecond * BATCH_BYTES);
  const worst = percentile(phase.acknowledgedMs, 0.99);
  console.log(
    `  ${PARTITIONS * CREDIT_MIB} MiB of credit at this rate are ${ms.toFixed(0)} ms; p99 is ${worst.toFixed(0)} ms, ${(WORST_TIMES * ms).toFixed(0)} allowed`,
  );
  return worst <= WORST_TIMES * ms;
}

function describe(phase: Phase, seconds: number): string {
  const perSecond = (count: number): string => `${Math.round(count / seconds)}/s`;
  const mb = ((phase.acknowledged * BATCH_BYTES) / seconds / 1e6).toFixed(0);
  return [
    `${perSecond(phase.offered)} offered`,
    `${perSecond(phase.acknowledged)} acknowledged (${mb} MB/s, ${percentiles(phase.acknowledgedMs)})`,
    `${perSecond(phase.refused)} refused${phase.refused === 0 ? '' : ` (${percentiles(phase.refusedMs)})`}`,
    `${perSecond(phase.shed)} held up by credit or flow control`,
  ].join(', ');
}

function percentiles(values: readonly number[]): string {
  const at = (share: number): string => percentile(values, share).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
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

/** Ties all threads of a process to a core. */
function pin(pid: number, core: number): void {
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
  if (status !== 0) throw new Error(`taskset could not give core ${core} to process ${pid}`);
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

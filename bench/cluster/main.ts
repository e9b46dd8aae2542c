import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failover } from './failover.ts';
import { manyTopics } from './many-topics.ts';
import { ClusterNodes } from './nodes.ts';
import { rollingRestart } from './rolling.ts';
import { loopback, NamespaceWires } from './wires.ts';

const USAGE = `npm run bench:cluster -- failover [--rounds 50] | rolling [--rounds 2] | topics [--topics 10000 --partitions 10]
  three nodes in processes of their own, the built package with its defaults
  failover  kills, freezes and cuts off (as root) the active controller; how soon topics are made again, and are any lost
  rolling   stops and starts one node after the other under a load that must not notice
  topics    makes many topics; what a failover, a start and the memory come to then`;

/** Runs one measurement; returns the exit code. */
async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      topics: { type: 'string', default: '10000' },
      partitions: { type: 'string', default: '10' },
    },
  });
  const [what] = positionals;
  if (what !== 'failover' && what !== 'rolling' && what !== 'topics') {
    console.error(USAGE);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'varve-cluster-'));
  const ids = [1, 2, 3];
  const canCut = what === 'failover' && NamespaceWires.isPossible;
  const wires = canCut ? new NamespaceWires(ids) : loopback;
  const nodes = new ClusterNodes(folder, ids, wires);
  try {
    await Promise.all(ids.map((id) => nodes.start(id)));
    if (what === 'failover')
      return await runFailover(nodes, wires, canCut, Number(values.rounds ?? 50));
    if (what === 'rolling') return await runRolling(nodes, Number(values.rounds ?? 2));
    return await runTopics(nodes, Number(values.topics), Number(values.partitions));
  } finally {
    await nodes.close();
    wires.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runFailover(
  nodes: ClusterNodes,
  wires: NamespaceWires | typeof loopback,
  canCut: boolean,
  rounds: number,
): Promise<number> {
  if (!canCut) console.error('NOT MEASURED: cut, which needs the superuser and namespaces');
  const { times, created, lost } = await failover(nodes, wires, rounds, canCut);
  for (const [kind, each] of [...times, ['all', [...times.values()].flat()] as const]) {
    const sorted = each.toSorted((a, b) => a - b);
    const at = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    console.log(
      `${kind.padEnd(7)} ${`${each.length}`.padStart(3)} faults  p50 ${at(0.5).toFixed(0)} ms  p90 ${at(0.9).toFixed(0)} ms  p99 ${at(0.99).toFixed(0)} ms  max ${at(1).toFixed(0)} ms`,
    );
  }
  console.log(`${created} topics were acknowledged, ${lost.length} of them are lost`);
  return lost.length === 0 ? 0 : 1;
}

async function runRolling(nodes: ClusterNodes, rounds: number): Promise<number> {
  const { failures, ...counts } = await rollingRestart(nodes, rounds);
  console.log(
    `${rounds * nodes.ids.length} restarts: ${counts.records} records sent, ${counts.read} read, ${counts.topics} topics made, ${counts.described} descriptions; ${failures.length} failed`,
  );
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
  return failures.length === 0 && counts.read >= counts.records ? 0 : 1;
}

async function runTopics(nodes: ClusterNodes, topics: number, partitions: number): Promise<number> {
  const result = await manyTopics(nodes, topics, partitions);
  const { seconds, residentAfter, residentBefore } = result;
  const perPartition = (residentAfter - residentBefore) / result.partitions / nodes.ids.length;
  console.log(
    [
      `${result.topics} topics with ${partitions} partitions: ${(result.topics / seconds).toFixed(0)} topics/s, ${(result.partitions / seconds).toFixed(0)} partitions/s, longest pause ${result.longestPauseMs.toFixed(0)} ms`,
      `failover of the controller: ${result.failoverMs.toFixed(0)} ms`,
      `start after kill -9 ${result.startAfterKillMs.toFixed(0)} ms, after a stop ${result.startMs.toFixed(0)} ms`,
      `memory: ${(residentAfter / 3 / 2 ** 20).toFixed(0)} MiB a node, ${(perPartition / 1024).toFixed(2)} KiB a partition and node`,
    ].join('\n'),
  );
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}

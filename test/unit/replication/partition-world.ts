import { type ErrorRow, Errors } from '../../../src/model/errors.ts';
import { leaderEpoch, nodeId, offset } from '../../../src/model/ids.ts';
import type { OffsetWaiter } from '../../../src/replication/offset-waiters.ts';
import { Partition, type RequiredAcks } from '../../../src/replication/partition.ts';
import { LogWorld } from '../log/log-world.ts';

/** Fsyncs of segments hang for a while from now on. */
export const STALL_MS = 1000;

/** A partition over a real log on a simulated disk, led by this broker in epoch 1. */
export class PartitionWorld {
  readonly logs: LogWorld;
  partition!: Partition;
  /** What waiters were told, in order: their names and `ok` or the name of the error. */
  readonly told: string[] = [];

  static async open(durability: 'durable' | 'replicated' = 'durable'): Promise<PartitionWorld> {
    const logs = new LogWorld(1);
    logs.topicConfig = { ...logs.topicConfig, durability };
    const world = new PartitionWorld(logs);
    await logs.start();
    world.partition = new Partition(logs.log);
    world.lead(1);
    return world;
  }

  constructor(logs: LogWorld) {
    this.logs = logs;
  }

  lead(epoch: number, minInSync = 1): void {
    this.partition.lead({ leaderEpoch: leaderEpoch(epoch), isr: [nodeId(1)], minInSync });
  }

  /** Appends, which must work, and gives the offset after it. */
  append(records: Uint8Array): number {
    const outcome = this.partition.append(records, 'client');
    if (!outcome.ok) throw new Error(`${outcome.row.name}: ${outcome.detail}`);
    return outcome.lastOffset + 1;
  }

  waiter(name: string, at: number, deadlineMs = Number.POSITIVE_INFINITY): OffsetWaiter {
    const settle = (row: ErrorRow | null): void => {
      this.told.push(`${name} ${(row ?? Errors.NONE).name}`);
    };
    return { offset: offset(at), deadlineMs, settle };
  }

  wait(name: string, acks: RequiredAcks, at: number): void {
    this.partition.whenSafe(acks, this.waiter(name, at));
  }

  stallDisk(): void {
    this.logs.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: STALL_MS });
  }

  /** Lets virtual time pass until somebody more was told something. */
  async untilTold(count = 1): Promise<void> {
    const wanted = this.told.length + count;
    await this.logs.machine.scheduler.run(() => this.told.length >= wanted);
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    const { scheduler } = this.logs.machine;
    await scheduler.run(scheduler.nowMs + ms);
  }
}

import type { Member } from '../../../src/raft/configuration.ts';
import type { DiskFault } from '../env/disk-faults.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import type { Administrator } from './administrator.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { ChangeKind, FaultKind, PlannedFault } from './plan.ts';
import type { QuorumCluster } from './quorum-cluster.ts';
import type { Link } from './simulated-peers.ts';

/** How long what is broken stays so; often too short for an election, sometimes long enough for several. */
const SPAN_MS = [
  [20, 400],
  [300, 3_000],
  [2_000, 8_000],
] as const;
const LOSSY = { loss: 0.4, duplication: 0.2, lateness: 0.4 };
const GOOD = { loss: 0, duplication: 0, lateness: 0 };

/** Does what is planned, each fault at its time, and ends it after a while. */
export class Faults {
  readonly #cluster: QuorumCluster;
  readonly #administrator: Administrator;
  /** By kind, how many took place. */
  readonly done = new Map<FaultKind, number>();
  #isOver = false;

  constructor(cluster: QuorumCluster, administrator: Administrator) {
    this.#cluster = cluster;
    this.#administrator = administrator;
  }

  schedule(faults: readonly PlannedFault[]): void {
    for (const fault of faults) {
      this.#cluster.scheduler.after(fault.atMs, () => {
        if (!this.#isOver) this.#run(fault);
      });
    }
  }

  /** Everything works again, and who is down starts. Clocks keep their pace. */
  heal(): void {
    this.#isOver = true;
    const { peers, nodes } = this.#cluster;
    peers.mendAll();
    peers.faults = GOOD;
    for (const node of nodes.values()) {
      node.machine.disk.clearFaults();
      if (node.machine.incarnation.isPaused) node.machine.resume();
      if (node.isDown) node.start();
    }
  }

  #run({ kind, draw }: PlannedFault): void {
    const random = new SimulatedRandom(draw);
    if (isChange(kind)) {
      this.#administrator.ask(kind, random);
      return;
    }
    const [low, high] = random.pick(SPAN_MS);
    const context = { random, node: this.#victim(random), spanMs: random.between(low, high) };
    if (!this.#actions[kind](context)) return;
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
    this.#cluster.count(`fault ${kind}`);
    this.#cluster.note(context.node, () => `FAULT ${kind} for ${context.spanMs} ms`);
  }

  /** Half of the time the leader, if there is one; who is down only if all are. */
  #victim(random: SimulatedRandom): ClusterNode {
    const { leader, nodes } = this.#cluster;
    const all = [...nodes.values()];
    const up = all.filter(({ isDown }) => !isDown);
    const any = random.pick(up.length > 0 ? up : all);
    return random.chance(0.5) ? (leader ?? any) : any;
  }

  /** Each is true if something happened. */
  readonly #actions: Readonly<Record<FaultKind, (context: Context) => boolean>> = {
    'process crash': ({ node, spanMs }) => this.#crash(node, 'process', spanMs),
    'power cut': ({ node, spanMs }) => this.#crash(node, 'power', spanMs),
    blackout: ({ random, spanMs }) => {
      const up = [...this.#cluster.nodes.values()].filter(({ isDown }) => !isDown);
      for (const node of up) {
        this.#crash(node, random.chance(0.7) ? 'power' : 'process', random.between(1, spanMs));
      }
      return up.length > 0;
    },
    'crash in a sync': ({ node, random, spanMs }) => {
      this.#crashInSync(node, random, spanMs);
      return true;
    },
    'crash in a start': ({ node, random, spanMs }) => {
      if (!this.#crash(node, 'process', 1)) return false;
      this.#cluster.scheduler.after(1 + random.below(12_000) / 1000, () => {
        if (!this.#isOver && node.isStarting) this.#cluster.count('crash while starting');
        if (!this.#isOver) this.#crash(node, random.chance(0.7) ? 'power' : 'process', spanMs);
      });
      return true;
    },
    pause: ({ node, spanMs }) => {
      const { machine } = node;
      const { incarnation } = machine;
      if (node.isDown || node.isRetired || incarnation.isPaused) return false;
      machine.pause();
      this.#after(spanMs, () => {
        if (incarnation === machine.incarnation && incarnation.isPaused) machine.resume();
      });
      return true;
    },
    isolated: (context) => this.#cut(context, ({ one, other }) => [to(one, other), to(other, one)]),
    deaf: (context) => this.#cut(context, ({ one, other }) => [to(other, one)]),
    mute: (context) => this.#cut(context, ({ one, other }) => [to(one, other)]),
    'cut link': (context) => {
      const id = context.random.pick([...this.#cluster.nodes.keys()]);
      return this.#cut(context, ({ one, other }) => (other === id ? [to(one, other)] : []));
    },
    halves: ({ random, spanMs }) => {
      const ids = [...this.#cluster.nodes.keys()];
      const half = new Set(ids.filter(() => random.chance(0.5)));
      return this.#cutLinks(
        links(ids, (a, b) => half.has(a) !== half.has(b)),
        spanMs,
      );
    },
    star: ({ node, spanMs }) => {
      const { id } = node.member;
      const ids = [...this.#cluster.nodes.keys()];
      return this.#cutLinks(
        links(ids, (a, b) => a !== id && b !== id),
        spanMs,
      );
    },
    'lossy network': ({ spanMs }) => {
      const { peers, shape } = this.#cluster;
      peers.faults = LOSSY;
      this.#after(spanMs, () => {
        peers.faults = shape.network;
      });
      return true;
    },
    'streams broken': ({ node, spanMs }) => {
      if (node.life === null) return false;
      const peers = this.#others(node);
      node.deliver(({ quorum }) => {
        for (const peer of peers) quorum.unreachable(peer);
      });
      this.#after(spanMs, () => {
        node.deliver(({ quorum }) => {
          for (const peer of peers) quorum.reachable(peer);
        });
      });
      return true;
    },
    'slow disk': ({ node, random }) => {
      const delayMs = random.between(20, random.pick([100, 1_000]));
      const times = random.between(2, 30);
      node.machine.disk.plan({ path: /./, delayMs, times });
      return true;
    },
    'sync error': ({ node, random }) => {
      const operation = random.pick(['syncStore', 'syncStore', 'sync'] as const);
      node.machine.disk.plan({ operation, path: /./, code: 'EIO' });
      return true;
    },
    'wall clock jump': ({ node, random }) => {
      node.machine.clock.jumpWall(random.between(-3_600_000, 3_600_000));
      return true;
    },
    wipe: ({ node }) => this.#administrator.wipe(node),
  };

  #crash(node: ClusterNode, kind: 'process' | 'power', downMs: number): boolean {
    if (node.isDown || node.isRetired) return false;
    this.#cluster.count(`crash of ${kind}`);
    node.stop(kind);
    this.#after(downMs, () => {
      if (node.isDown) node.start();
    });
    return true;
  }

  /** When the next one, or one of the next, is under way. */
  #crashInSync(node: ClusterNode, random: SimulatedRandom, spanMs: number): void {
    const { faults } = node.machine.disk;
    const operation = random.pick(['syncStore', 'syncStore', 'sync', 'syncDirectory'] as const);
    const aimed: DiskFault = { operation, path: /./, delayMs: random.below(3_000) / 1000 };
    const before = faults.onMet;
    faults.onMet = (met) => {
      before?.(met);
      if (met !== aimed) return;
      this.#cluster.scheduler.after(random.below(4_000) / 1000, () => {
        if (this.#isOver) return;
        this.#cluster.count('crash while syncing');
        this.#crash(node, random.chance(0.7) ? 'power' : 'process', spanMs);
      });
    };
    faults.plan(aimed);
  }

  #cut({ node, spanMs }: Context, of: (pair: Pair) => readonly Link[]): boolean {
    const one = node.member.id;
    const others = [...this.#cluster.nodes.keys()].filter((id) => id !== one);
    return this.#cutLinks(new Set(others.flatMap((other) => of({ one, other }))), spanMs);
  }

  #cutLinks(cut: ReadonlySet<Link>, spanMs: number): boolean {
    const { peers } = this.#cluster;
    if (cut.size === 0) return false;
    this.#cluster.count('partition');
    peers.cut(cut);
    this.#cluster.scheduler.after(spanMs, () => peers.mend(cut));
    return true;
  }

  #others({ member }: ClusterNode): Member[] {
    return [...this.#cluster.nodes.values()].map((node) => node.member).filter((m) => m !== member);
  }

  /** What heals by itself; after the storm all is healed. */
  #after(ms: number, fn: () => void): void {
    this.#cluster.scheduler.after(ms, () => {
      if (!this.#isOver) fn();
    });
  }
}

interface Context {
  readonly node: ClusterNode;
  readonly random: SimulatedRandom;
  readonly spanMs: number;
}

interface Pair {
  readonly one: number;
  readonly other: number;
}

const to = (from: number, at: number): Link => `${from}>${at}`;

const links = (ids: readonly number[], isCut: (a: number, b: number) => boolean): Set<Link> =>
  new Set(ids.flatMap((a) => ids.filter((b) => a !== b && isCut(a, b)).map((b) => to(a, b))));

const isChange = (kind: PlannedFault['kind']): kind is ChangeKind =>
  ['join', 'leave', 'leader leaves', 'transfer'].includes(kind);

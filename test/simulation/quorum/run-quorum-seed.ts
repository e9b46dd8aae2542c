import { topicByName } from '../../../src/metadata/image.ts';
import { isMember } from '../../../src/raft/configuration.ts';
import { Administrator } from './administrator.ts';
import { historyCheckers } from './checkers/linearizability.ts';
import { Clients } from './clients.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import type { Plan } from './plan.ts';
import { QuorumCluster, textOf, type Violation } from './quorum-cluster.ts';

export interface QuorumResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Whatever occurred, by name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  readonly faults: number;
  readonly virtualMs: number;
  /** The same for every run of a seed. */
  readonly traceHash: string;
}

/** A seed in which less happens is void. */
export const LEAST = { virtualMs: 60_000, acknowledged: 200, faults: 10 };

/** When all is healed, within so long somebody leads and all members have what is asked for then. */
const HEALING_MS = 20_000;
/** And within so long the clients have done what they wanted. */
const FINISHING_MS = 120_000;
const STEP_MS = 250;
const LAST_TOPIC = 'after-the-storm';

/** A cluster under a plan: faults first, then none and progress is demanded. */
export async function runPlan(
  plan: Plan,
  print: ((line: string) => void) | null = null,
): Promise<QuorumResult> {
  const cluster = new QuorumCluster(plan.seed, plan.shape, print);
  const history = new History();
  const administrator = new Administrator(cluster);
  const faults = new Faults(cluster, administrator);
  const clients = new Clients(cluster, history);
  const onRejection = (error: unknown): void => cluster.report('noCrash', textOf(error));
  process.on('unhandledRejection', onRejection);
  try {
    cluster.form();
    administrator.begin();
    faults.schedule(plan.faults);
    clients.begin(plan.commands);
    await passUntil(cluster, plan.shape.stormMs, () => false);
    administrator.end();
    faults.heal();
    cluster.note(null, () => 'ALL IS HEALED');
    if (isFine(cluster)) await demandProgress(cluster, clients);
    if (isFine(cluster)) await finish(cluster, clients);
  } catch (error) {
    cluster.report('noCrash', textOf(error));
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  if (isFine(cluster)) {
    for (const [name, check] of historyCheckers) {
      for (const problem of check(history)) cluster.report(name, problem);
    }
  }
  const done = [...faults.done.values()].reduce((sum, count) => sum + count, 0);
  return {
    seed: plan.seed,
    violations: cluster.violations,
    counts: cluster.counts,
    acknowledged: history.acknowledged,
    faults: done,
    virtualMs: cluster.scheduler.nowMs,
    traceHash: `${cluster.scheduler.traceHash.toString(16)}-${history.acknowledged}-${history.now()}`,
  };
}

/** Why a seed says nothing, or `null`. */
export function voidReason({ virtualMs, acknowledged, faults }: QuorumResult): string | null {
  if (acknowledged < LEAST.acknowledged) return `${acknowledged} commands were acknowledged`;
  if (faults < LEAST.faults) return `there were ${faults} faults`;
  return virtualMs < LEAST.virtualMs ? `it took ${virtualMs} ms` : null;
}

const isFine = ({ violations }: QuorumCluster): boolean => violations.length === 0;

/** Lets time pass until it holds or something is broken. */
async function passUntil(
  cluster: QuorumCluster,
  mostMs: number,
  condition: () => boolean,
): Promise<boolean> {
  const { scheduler } = cluster;
  const endMs = scheduler.nowMs + mostMs;
  while (scheduler.nowMs < endMs && isFine(cluster)) {
    if (condition()) return true;
    await cluster.pass(Math.min(STEP_MS, endMs - scheduler.nowMs));
  }
  return condition();
}

/** A topic is made, and read on every member. */
async function demandProgress(cluster: QuorumCluster, clients: Clients): Promise<void> {
  let isMade = false;
  void clients.createTopic(LAST_TOPIC).then(() => {
    isMade = true;
  });
  const isEverywhere = (): boolean => {
    const { configuration } = cluster;
    if (!isMade || configuration === undefined) return false;
    const members = [...cluster.nodes.values()].filter(({ member }) =>
      isMember(configuration, member),
    );
    return members.every(
      ({ life }) => life !== null && topicByName(life.controller.image, LAST_TOPIC) !== undefined,
    );
  };
  if (await passUntil(cluster, HEALING_MS, isEverywhere)) return;
  if (!isFine(cluster)) return;
  const roles = [...cluster.nodes.values()].map(
    ({ member, role, epoch, life }) =>
      `${member.directoryId} ${life === null ? 'is down' : `${role} in ${epoch}`}`,
  );
  const what = isMade ? 'a topic is not everywhere' : 'no topic could be made';
  cluster.report('progress', `${what} ${HEALING_MS} ms after all was healed: ${roles.join(', ')}`);
}

async function finish(cluster: QuorumCluster, clients: Clients): Promise<void> {
  const isFinished = await passUntil(cluster, FINISHING_MS, () => clients.isDone);
  if (!isFinished && isFine(cluster)) cluster.report('progress', 'the clients are not done');
  const missing = LEAST.virtualMs - cluster.scheduler.nowMs;
  if (missing > 0) await cluster.pass(missing);
}

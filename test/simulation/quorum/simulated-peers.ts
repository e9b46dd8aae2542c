import type { Member } from '../../../src/raft/configuration.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import type { Scheduler } from '../env/scheduler.ts';
import type { SimulatedRandom } from '../env/simulated-random.ts';
import type { NetworkFaults } from './plan.ts';

/** How long a message is under way, and one that is late. */
const DELAY_US = [500, 6_000] as const;
const LATE_MS = [10, 1_500] as const;

/** A link that carries nothing, in this direction. */
export type Link = `${number}>${number}`;

export interface PeersListener {
  /** A message arrives at the machine with this id. */
  deliver(from: Member, to: Member, message: RaftMessage): void;
  count(name: string): void;
}

/** The network between the nodes: it loses, repeats, delays and reorders, and links of it are cut. */
export class SimulatedPeers {
  readonly #scheduler: Scheduler;
  readonly #random: SimulatedRandom;
  readonly #listener: PeersListener;
  /** What is cut, by what has cut it. */
  readonly #cuts = new Set<ReadonlySet<Link>>();
  faults: NetworkFaults;

  constructor(
    scheduler: Scheduler,
    random: SimulatedRandom,
    faults: NetworkFaults,
    listener: PeersListener,
  ) {
    this.#scheduler = scheduler;
    this.#random = random.fork('peers');
    this.faults = faults;
    this.#listener = listener;
  }

  /** Until `mend` of the same links. */
  cut(links: ReadonlySet<Link>): void {
    this.#cuts.add(links);
  }

  mend(links: ReadonlySet<Link>): void {
    this.#cuts.delete(links);
  }

  mendAll(): void {
    this.#cuts.clear();
  }

  send(from: Member, to: Member, message: RaftMessage): void {
    const random = this.#random;
    const { loss, duplication } = this.faults;
    if (loss > 0 && random.chance(loss)) {
      this.#listener.count('message fault loss');
      return;
    }
    this.#carry(from, to, copyOf(message));
    if (duplication > 0 && random.chance(duplication)) {
      this.#listener.count('message fault duplication');
      this.#carry(from, to, copyOf(message));
    }
  }

  #carry(from: Member, to: Member, message: RaftMessage): void {
    const random = this.#random;
    const { lateness } = this.faults;
    const isLate = lateness > 0 && random.chance(lateness);
    if (isLate) this.#listener.count('message fault lateness');
    const delayMs = isLate ? random.between(...LATE_MS) : random.between(...DELAY_US) / 1000;
    this.#scheduler.after(delayMs, () => {
      if (this.#isCut(`${from.id}>${to.id}`)) this.#listener.count('message fault cut');
      else this.#listener.deliver(from, to, message);
    });
  }

  #isCut(link: Link): boolean {
    for (const links of this.#cuts) if (links.has(link)) return true;
    return false;
  }
}

/** Two nodes share nothing. */
function copyOf(message: RaftMessage): RaftMessage {
  if (message.kind === 'snapshot-chunk') return { ...message, bytes: message.bytes.slice() };
  if (message.kind !== 'append') return { ...message };
  const entries = message.entries.map((entry) =>
    entry.kind === 'command' ? { ...entry, bytes: entry.bytes.slice() } : { ...entry },
  );
  return { ...message, entries };
}

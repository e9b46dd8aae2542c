import { ApiError, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import { controllerMethods as methods } from './controller-service.ts';
import type { Forwarding } from './forwarding.ts';
import type { QuorumAdmin } from './quorum-admin.ts';
import type { QuorumApi, QuorumDescription } from './quorum-api.ts';

/** How long a leader is looked for that describes the quorum: that there is none is what people want to know then. */
const DESCRIBE_TIMEOUT_MS = 5_000;

/** Administration of the quorum, by the node that leads it. */
export class ForwardingQuorum implements QuorumApi {
  readonly #quorum: Pick<QuorumAdmin, keyof QuorumApi | 'here'>;
  readonly #forwarding: Forwarding;

  constructor(quorum: Pick<QuorumAdmin, keyof QuorumApi | 'here'>, forwarding: Forwarding) {
    this.#quorum = quorum;
    this.#forwarding = forwarding;
  }

  /** If no leader answers: what this node knows by itself. */
  async describe(): Promise<QuorumDescription> {
    try {
      return await this.#forwarding.ask({
        method: methods.describeQuorum,
        request: undefined,
        here: () => this.#quorum.describe(),
        isRepeatable: true,
        timeoutMs: DESCRIBE_TIMEOUT_MS,
      });
    } catch (error) {
      const isWithoutLeader =
        error instanceof ApiError &&
        (error.row === Errors.NOT_CONTROLLER || error.row === Errors.REQUEST_TIMED_OUT);
      if (!isWithoutLeader) throw error;
      return { ...this.#quorum.here, leaderId: null };
    }
  }

  addVoter(id: NodeId): Promise<void> {
    return this.#forwarding.ask({
      method: methods.addVoter,
      request: id,
      here: () => this.#quorum.addVoter(id),
      isRepeatable: false,
    });
  }

  removeVoter(id: NodeId, force: boolean): Promise<void> {
    return this.#forwarding.ask({
      method: methods.removeVoter,
      request: { id, force },
      here: () => this.#quorum.removeVoter(id, force),
      isRepeatable: false,
    });
  }

  transferLeadership(to: NodeId): Promise<void> {
    return this.#forwarding.ask({
      method: methods.transferLeadership,
      request: to,
      here: () => this.#quorum.transferLeadership(to),
      // It is done already if that node leads: that is how the answer gets lost.
      isRepeatable: true,
    });
  }
}

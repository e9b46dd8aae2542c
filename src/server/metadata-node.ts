import { Controller } from '../controller/controller.ts';
import type { ControllerApi } from '../controller/controller-api.ts';
import type { ControllerConfig } from '../controller/controller-config.ts';
import type { MetadataReplica } from '../controller/metadata-replica.ts';
import { QuorumAdmin, successors } from '../controller/quorum-admin.ts';
import type { QuorumApi } from '../controller/quorum-api.ts';
import type { Env } from '../env/ports.ts';
import { topicLogSettings } from '../log/topic-config.ts';
import { lastBrokerEpoch } from '../metadata/last-broker-epoch.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type BrokerEpoch, NO_BROKER_EPOCH } from '../model/ids.ts';
import type { DataDirectory } from './data-directory.ts';
import type { PeerDoor } from './peer-door.ts';

/** How long a node that stops waits until another one leads the metadata. */
const HAND_OVER_MS = 2_000;

/**
 * The part of this node in the metadata of its cluster: it holds a replica, may be the active controller,
 * and asks the active one, wherever that is. Without peers it is a cluster by itself.
 */
export class MetadataNode {
  /** The active controller, wherever it is. */
  readonly controller: ControllerApi;
  /** Administration of the quorum, by its leader. */
  readonly quorum: QuorumApi;
  readonly #data: DataDirectory;
  readonly #env: Env;
  readonly #peers: PeerDoor | undefined;
  readonly #local: Controller;
  readonly #admin: QuorumAdmin;
  readonly #closing = new AbortController();
  #previousBrokerEpoch: BrokerEpoch = NO_BROKER_EPOCH;

  constructor(data: DataDirectory, config: ControllerConfig, env: Env, peers?: PeerDoor) {
    const { quorum, identity } = data;
    const { nodeId, directoryId } = identity;
    this.#data = data;
    this.#env = env;
    this.#peers = peers;
    const cluster = {
      directoryId,
      // Not known before the cluster is formed.
      get clusterId() {
        return data.identity.clusterId;
      },
    };
    this.#local = new Controller(config, env.random, quorum, cluster, topicLogSettings);
    this.#admin = new QuorumAdmin(nodeId, quorum, env.timers);
    const forwarding = peers?.forwarding(this.#local, this.#admin);
    this.controller = forwarding ?? this.#local;
    this.quorum = forwarding?.quorum ?? this.#admin;
  }

  /** The metadata as they are here. */
  get replica(): MetadataReplica {
    return this.#local.replica;
  }

  /** The last broker epoch that the disk knew of when the node started, -1 for none. */
  get previousBrokerEpoch(): BrokerEpoch {
    return this.#previousBrokerEpoch;
  }

  /**
   * Forms or joins a cluster if the directory is of none, however long that takes, and resolves when all
   * that is committed has come here. Rejects after `giveUp`.
   */
  async enter(): Promise<void> {
    const { quorum, identity } = this.#data;
    this.#previousBrokerEpoch = lastBrokerEpoch(quorum.storedRecords(), identity.nodeId);
    if (this.#peers === undefined) {
      await this.#data.leadAlone(this.replica);
      return;
    }
    await this.#peers.listen(this.#local, this.#admin);
    await this.#peers.enter();
    this.#local.keepSessions(this.#env);
    this.#peers.takePart(this.replica);
    await this.#caughtUp();
  }

  /** Lets another node lead the metadata, before this one stops. Gives up after a while. */
  async handOver(): Promise<void> {
    const { quorum } = this.#data;
    if (this.#peers === undefined || this.replica.runtime === null) return;
    const [next] = successors(quorum.status);
    if (next === undefined) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#env.timers.after(HAND_OVER_MS, () => late.resolve());
    await Promise.race([quorum.transferLeadership(next.member).catch(() => {}), late.promise]);
    timer.cancel();
  }

  /** Waits for no other node any more: `enter` rejects. */
  giveUp(): void {
    this.#closing.abort(new ApiError(Errors.BROKER_STOPPING, 'the node has stopped'));
    this.#peers?.giveUp();
  }

  /** Speaks to no peers any more; the data directory is the caller's to close. */
  async close(): Promise<void> {
    this.giveUp();
    await this.#peers?.close();
  }

  async #caughtUp(): Promise<void> {
    const { signal } = this.#closing;
    const position = await this.controller.currentPosition(signal);
    await this.replica.reached(position, signal);
  }
}

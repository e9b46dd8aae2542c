import { MemoryBudget } from '../broker/memory-budget.ts';
import type { Controller } from '../controller/controller.ts';
import { serveController } from '../controller/controller-handlers.ts';
import { ForwardingController } from '../controller/forwarding-controller.ts';
import type { MetadataReplica } from '../controller/metadata-replica.ts';
import type { QuorumAdmin } from '../controller/quorum-admin.ts';
import type { Env } from '../env/ports.ts';
import type { MetadataImage } from '../metadata/image.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import { beginStorage } from '../quorum/begin-storage.ts';
import type { FormedCluster, KnownLeader } from '../quorum/forming.ts';
import { Forming } from '../quorum/forming-driver.ts';
import type { MetadataQuorum } from '../quorum/metadata-quorum.ts';
import { PEER_MESSAGE_BYTES_MAX } from '../quorum/peer-frames.ts';
import { Peers } from '../quorum/peer-network.ts';
import { isMember, isVoter, type Member, memberOf } from '../raft/configuration.ts';
import { HandlerTable } from '../rpc/method.ts';
import type { Channel, Listener, OnRefused, TlsOptions, Transport } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DataDirectory } from './data-directory.ts';

/** What all that arrives from peers may take at a time: two snapshots' pieces and what goes with them. */
const MEMORY_BYTES = 4 * PEER_MESSAGE_BYTES_MAX;
/** A peer opens a few streams, and calls for its clients. */
const STREAMS_PER_CONNECTION = 1_000;
const MAX_CONNECTIONS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const IDLE_MS = 600_000;
const MESSAGE_TIMEOUT_MS = 60_000;
const CLOSE_GRACE_MS = 0;

export interface PeerDoorOptions {
  /** Where the nodes that form the cluster listen. */
  readonly voters: ReadonlyMap<NodeId, string>;
  readonly listener: string;
  /** Empty: as the voters say, or else where it listens. */
  readonly advertised: string;
  /** Of which cluster this node is to be; empty for any. */
  readonly clusterId: string;
  readonly heartbeatIntervalMs: number;
  readonly tls: TlsOptions | undefined;
}

export interface PeerDoorParts {
  readonly env: Env;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly onRefused: OnRefused;
}

/** This node among its peers: it listens for them, forms or joins a cluster with them, and carries Raft. */
export class PeerDoor {
  readonly #options: PeerDoorOptions;
  readonly #parts: PeerDoorParts;
  readonly #data: DataDirectory;
  readonly #self: Member;
  readonly #channels = new Map<string, Channel>();
  readonly #address: string;
  readonly #peers: Peers;
  readonly #forming: Forming;
  #listener: Listener | undefined;
  #image: () => MetadataImage | undefined = () => undefined;

  constructor(data: DataDirectory, options: PeerDoorOptions, parts: PeerDoorParts) {
    const { identity } = data;
    this.#data = data;
    this.#options = options;
    this.#parts = parts;
    this.#self = { id: identity.nodeId, directoryId: identity.directoryId };
    const { advertised, voters, listener, tls, heartbeatIntervalMs, clusterId } = options;
    this.#address = advertised || (voters.get(this.#self.id) ?? listener);
    const own = { self: this.#self, address: this.#address, ...(tls === undefined ? {} : { tls }) };
    this.#peers = new Peers(
      { ...own, heartbeatIntervalMs },
      { ...parts.env, ...parts, addressOf: (id) => this.#addressOf(id) },
    );
    this.#forming = new Forming(
      { ...own, clusterId, voters },
      {
        ...{ ...parts.env, ...parts },
        begin: async (beginning) => {
          await beginStorage(data.quorum.storage, beginning.initial);
          await data.nameCluster(beginning.clusterId);
        },
        heardOf: (member, address) => this.#peers.learnAddress(member, address),
      },
    );
  }

  /** `HOST:PORT` that others are told. */
  get advertisedAddress(): string {
    return this.#address;
  }

  /** What this node asks for goes to the active controller, wherever it is. */
  forwarding(controller: Controller, quorum: QuorumAdmin): ForwardingController {
    return new ForwardingController(this.#self.id, {
      ...this.#parts.env,
      ...{ controller, quorum, replica: controller.replica },
      channelOf: (id) => this.#channelOf(id),
    });
  }

  /** Serves peers, who may ask this node's controller. */
  async listen(controller: Controller, quorum: QuorumAdmin): Promise<void> {
    const { transport, onRefused } = this.#parts;
    const { listener, tls } = this.#options;
    const table = new HandlerTable(onRefused);
    serveController(table, controller, quorum);
    this.#peers.addHandlers(table);
    this.#forming.addHandlers(table);
    this.#listener = await transport.listen(listener, table, {
      maxMessageBytes: PEER_MESSAGE_BYTES_MAX,
      maxStreamsPerConnection: STREAMS_PER_CONNECTION,
      maxConnections: MAX_CONNECTIONS,
      maxConnectionsPerAddress: MAX_CONNECTIONS,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      connectionIdleMs: IDLE_MS,
      messageTimeoutMs: MESSAGE_TIMEOUT_MS,
      stalledReaderMs: MESSAGE_TIMEOUT_MS,
      memory: new MemoryBudget(MEMORY_BYTES),
      onRefused,
      ...(tls === undefined ? {} : { tls }),
    });
  }

  /** Makes an empty node part of a cluster, however long that takes. Rejects after `giveUp`. */
  async enter(): Promise<void> {
    if (this.#data.identity.clusterId === '') await this.#forming.run();
  }

  /** Takes part in the quorum, whose log `replica` follows. */
  takePart(replica: MetadataReplica): void {
    const { quorum, identity } = this.#data;
    this.#image = () => replica.image;
    this.#peers.start(identity.clusterId, quorum);
    replica.whenMembersChange(({ voters, learners }) =>
      this.#peers.keepOnly([...voters, ...learners]),
    );
    quorum.start(this.#self, this.#peers, replica);
    this.#forming.serve({
      formed: () => this.#formed(),
      onJoin: (member) => letIn(quorum, member),
    });
  }

  /** Waits for a cluster no longer, and looks for none. */
  giveUp(): void {
    this.#forming.close();
  }

  /** Ends what is open, and the wait for a cluster. */
  async close(): Promise<void> {
    this.giveUp();
    await this.#peers.close();
    const channels = [...this.#channels.values()];
    await Promise.all([
      this.#listener?.close(CLOSE_GRACE_MS),
      ...channels.map((channel) => channel.close()),
    ]);
  }

  /** A connection for calls to a node; `undefined` if it is not known where that is. */
  #channelOf(id: NodeId): Channel | undefined {
    const address = this.#addressOf(id);
    if (address === undefined) return undefined;
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      const { tls } = this.#options;
      channel = this.#parts.transport.connect(address, {
        maxMessageBytes: PEER_MESSAGE_BYTES_MAX,
        ...(tls === undefined ? {} : { tls }),
      });
      this.#channels.set(address, channel);
    }
    return channel;
  }

  /** By the settings, which people change when a node has moved; then by what it said of itself. */
  #addressOf(id: NodeId): string | undefined {
    const registered = this.#image()?.brokers.get(id)?.peerAddress;
    return this.#options.voters.get(id) ?? (registered || this.#peers.addressHeardFrom(id));
  }

  #formed(): FormedCluster {
    const { quorum, identity } = this.#data;
    const { configuration: current, leader } = quorum.status;
    const { snapshot } = quorum.storage;
    // Later the log has forgotten whom it was formed of; whoever begins so late is sent a snapshot.
    const initial = snapshot?.last.index === 0 ? snapshot.configuration : current;
    return { clusterId: identity.clusterId, initial, current, leader: this.#known(leader) };
  }

  #known(leader: Member | null): KnownLeader | undefined {
    if (leader === null) return undefined;
    const address = leader.id === this.#self.id ? this.#address : this.#addressOf(leader.id);
    return { id: leader.id, address: address ?? '' };
  }
}

/** Makes a node a learner: it is sent the log, and counts for nothing. */
async function letIn(quorum: MetadataQuorum, member: Member): Promise<void> {
  const { configuration } = quorum.status;
  if (isMember(configuration, member)) return;
  const namesake = memberOf(configuration, member.id);
  if (namesake !== undefined) {
    if (isVoter(configuration, namesake)) {
      const detail = `node ${member.id} is a voter with data directory ${namesake.directoryId}, this one is ${member.directoryId}: a disk that is lost is another voter; take it out with "varve quorum remove-voter ${member.id}", then this one is let in`;
      throw new ApiError(Errors.INVALID_REQUEST, detail);
    }
    // A learner counts for nothing, whatever its disk has forgotten.
    await change(quorum, { kind: 'remove', member: namesake });
  }
  await change(quorum, { kind: 'add-learner', member });
}

async function change(
  quorum: MetadataQuorum,
  step: Parameters<MetadataQuorum['changeMembership']>[0],
): Promise<void> {
  const refused = await quorum.changeMembership(step);
  if (refused === null) return;
  const detail = `node ${step.member.id} is not let in now: ${refused}`;
  throw new ApiError(Errors.NOT_CONTROLLER, detail);
}

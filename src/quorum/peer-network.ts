import type { Random, Timers } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import type { NodeId } from '../model/ids.ts';
import type { Member } from '../raft/configuration.ts';
import type { RaftMessage } from '../raft/messages.ts';
import type { HandlerTable } from '../rpc/method.ts';
import type { OnRefused, TlsOptions, Transport } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { memberKey } from './member-tables.ts';
import {
  exchangeMethod,
  type Hello,
  PEER_MESSAGE_BYTES_MAX,
  PROTOCOL_VERSION,
} from './peer-frames.ts';
import { PeerIntake } from './peer-intake.ts';
import { PeerLink } from './peer-link.ts';
import type { PeerNetwork } from './quorum-driver.ts';

/** So many heartbeats pass between two looks whether a peer is there. */
const LOOK_HEARTBEATS = 3;
/** Addresses that are remembered of those who said hello. */
const ADDRESSES_MAX = 1_024;

export interface PeersOptions {
  readonly self: Member;
  /** Where this node listens for its peers, which it tells them; empty if nowhere. */
  readonly address: string;
  readonly heartbeatIntervalMs: number;
  readonly tls?: TlsOptions;
}

export interface PeersParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly transport: Transport;
  /** Told of what strangers send (`PeerIntake`). */
  readonly onRefused: OnRefused;
  /**
   * Where a member listens, asked at each attempt to connect. If it is `undefined`, what the member's own
   * hello said counts, if one has come.
   */
  addressOf(id: NodeId): string | undefined;
}

/** Whom messages are for: `QuorumDriver`. */
export interface PeerReceiver {
  received(from: Member, to: Member, message: RaftMessage): void;
  unreachable(peer: Member): void;
  reachable(peer: Member): void;
}

/**
 * The messages of Raft on streams: each node keeps one open to each member that it writes to, on a connection
 * of its own, so that nothing else delays a heartbeat. A dead peer costs an attempt to connect now and then.
 */
export class Peers implements PeerNetwork {
  readonly #options: PeersOptions;
  readonly #parts: PeersParts;
  readonly #intake: PeerIntake;
  readonly #links = new Map<string, PeerLink>();
  /** As hellos said, the newest last. */
  readonly #heard = new Map<NodeId, string>();
  #clusterId: string | undefined;
  #receiver: PeerReceiver | undefined;
  #isClosed = false;

  constructor(options: PeersOptions, parts: PeersParts) {
    this.#options = options;
    this.#parts = parts;
    const clusterId = () => this.#clusterId;
    this.#intake = new PeerIntake(
      {
        self: options.self,
        get clusterId() {
          return clusterId();
        },
        helloed: (hello) => this.#helloed(hello),
        received: (from, message) => this.#receiver?.received(from, options.self, message),
      },
      parts,
    );
  }

  /** Before the listener is opened. */
  addHandlers(table: HandlerTable): void {
    table.streams.set(exchangeMethod.path, (stream, { peer }) => this.#intake.opened(stream, peer));
  }

  /** The cluster is known, and the driver is there: once, before that starts. */
  start(clusterId: string, receiver: PeerReceiver): void {
    assert(this.#receiver === undefined, 'a node is of one cluster');
    this.#clusterId = clusterId;
    this.#receiver = receiver;
  }

  send(to: Member, message: RaftMessage): void {
    if (this.#isClosed || this.#receiver === undefined) return;
    const key = memberKey(to);
    let link = this.#links.get(key);
    if (link === undefined) {
      link = this.#linkTo(to, this.#receiver);
      this.#links.set(key, link);
    }
    link.send(message);
  }

  /** Where a node listens, by its own word. */
  addressHeardFrom(id: NodeId): string | undefined {
    return this.#heard.get(id);
  }

  /** A member has told where it listens: it is there now. */
  learnAddress(member: Member, address: string): void {
    this.#heard.delete(member.id);
    this.#heard.set(member.id, address);
    for (const id of this.#heard.keys()) {
      if (this.#heard.size <= ADDRESSES_MAX) break;
      this.#heard.delete(id);
    }
    this.#links.get(memberKey(member))?.heardOf();
  }

  /** Ends what is open to others: they are no members any more. */
  keepOnly(members: readonly Member[]): void {
    const kept = new Set(members.map(memberKey));
    for (const [key, link] of this.#links) {
      if (kept.has(key)) continue;
      this.#links.delete(key);
      void link.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#intake.close();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
  }

  #linkTo(peer: Member, receiver: PeerReceiver): PeerLink {
    const { self, address, tls, heartbeatIntervalMs } = this.#options;
    const { timers, random, logger, transport } = this.#parts;
    const connectOptions = {
      maxMessageBytes: PEER_MESSAGE_BYTES_MAX,
      ...(tls === undefined ? {} : { tls }),
    };
    const hello: Hello = {
      ...{ protocolVersion: PROTOCOL_VERSION, clusterId: this.#clusterId! },
      ...{ from: self, to: peer, address },
    };
    return new PeerLink(peer, {
      ...{ timers, random, logger, lookMs: LOOK_HEARTBEATS * heartbeatIntervalMs },
      address: () => this.#parts.addressOf(peer.id) ?? this.#heard.get(peer.id),
      connect: (to) => transport.connect(to, connectOptions),
      hello: () => hello,
      reachable: () => receiver.reachable(peer),
      unreachable: () => receiver.unreachable(peer),
    });
  }

  #helloed({ from, address }: Hello): void {
    if (address === '') this.#links.get(memberKey(from))?.heardOf();
    else this.learnAddress(from, address);
  }
}

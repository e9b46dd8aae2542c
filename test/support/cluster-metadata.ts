import { fenceBrokers } from '../../src/controller/fence-brokers.ts';
import { type BrokerHeartbeat, heartbeat } from '../../src/controller/heartbeat.ts';
import { type BrokerRegistration, registerBroker } from '../../src/controller/register-broker.ts';
import type { WriteResult } from '../../src/coordinator/coordinator-runtime.ts';
import { formingRecords } from '../../src/metadata/forming-records.ts';
import {
  type BrokerImage,
  emptyImage,
  type MetadataImage,
  replay,
} from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { leaderEpoch, NO_BROKER_EPOCH, nodeId, topicId } from '../../src/model/ids.ts';
import { registrationOf } from './broker-registration.ts';

/** The metadata of a cluster, and decisions that are carried out at once: each is an entry of its own. */
export class ClusterMetadata {
  image: MetadataImage = emptyImage;

  /** A cluster that was just formed. */
  static formed(): ClusterMetadata {
    const cluster = new ClusterMetadata();
    cluster.write(formingRecords('c', 'd'));
    return cluster;
  }

  /** One as the first version of the program formed them. */
  static ofLevel1(): ClusterMetadata {
    const cluster = new ClusterMetadata();
    cluster.write([{ type: 'cluster', format: 1, clusterId: 'c', directoryId: 'd' }]);
    return cluster;
  }

  write(records: readonly MetadataRecord[]): void {
    const { position } = this.image;
    for (const record of records) this.image = replay(this.image, record, position);
  }

  decide<Response>(
    decision: (image: MetadataImage, position: number) => WriteResult<MetadataRecord, Response>,
  ): Response {
    const { records, response } = decision(this.image, this.image.position);
    this.write(records);
    return response;
  }

  register(id: number, incarnation: string, more: Partial<BrokerRegistration> = {}, alive = false) {
    return this.decide((image, position) =>
      registerBroker(image, position, registrationOf(id, incarnation, more), alive),
    );
  }

  /** From the newest incarnation of a broker, which knows of everything. */
  heartbeat(id: number, more: Partial<BrokerHeartbeat> = {}) {
    return this.decide((image) =>
      heartbeat(image, {
        nodeId: nodeId(id),
        brokerEpoch: image.brokers.get(nodeId(id))?.brokerEpoch ?? NO_BROKER_EPOCH,
        currentPosition: image.position,
        wantsFence: false,
        wantsShutdown: false,
        ...more,
      }),
    );
  }

  fence(...ids: number[]) {
    return this.decide((image) => fenceBrokers(image, ids.map(nodeId)));
  }

  /** Makes a topic; for each partition its replicas, all in sync, led by the first. */
  topic(name: string, ...partitions: number[][]): void {
    const id = topicId(name.padEnd(22, 'x'));
    this.write([
      { type: 'topic', topicId: id, name },
      ...partitions.map((replicas, index): MetadataRecord => {
        const nodes = replicas.map(nodeId);
        const start = { leader: nodes[0]!, leaderEpoch: leaderEpoch(0), partitionEpoch: 0 };
        return { type: 'partition', topicId: id, index, replicas: nodes, isr: nodes, ...start };
      }),
    ]);
  }

  broker(id: number): BrokerImage {
    return this.image.brokers.get(nodeId(id))!;
  }

  /** All partitions of all topics: leader and leader epoch. */
  get leaders(): string[] {
    return [...this.image.topics.values()].flatMap(({ partitions }) =>
      partitions.map(({ leader, leaderEpoch: epoch }) => `${leader ?? 'none'}@${epoch}`),
    );
  }
}

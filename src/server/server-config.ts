import { type SettingGroup, setting } from '../config/setting.ts';

/** Who this node is and where it listens. */
export interface ServerConfig {
  readonly nodeId: number;
  readonly rack: string;
  readonly clusterId: string;
  readonly voters: string;
  readonly peerListener: string;
  readonly peerAdvertisedListener: string;
  readonly peerTlsCertFile: string;
  readonly peerTlsKeyFile: string;
  readonly peerTlsCaFile: string;
  readonly grpcListener: string;
  readonly grpcAdvertisedListener: string;
  readonly httpListener: string;
  readonly insecure: boolean;
  readonly httpInsecure: boolean;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly tlsClientCaFile: string;
  readonly kafkaListeners: string;
  readonly kafkaAdvertisedListeners: string;
  readonly kafkaSecurityProtocols: string;
  readonly kafkaTlsCertFile: string;
  readonly kafkaTlsKeyFile: string;
  readonly kafkaTlsClientCaFile: string;
  readonly shutdownTimeoutMs: number;
}

export const serverSettings: SettingGroup<ServerConfig> = {
  nodeId: setting.int({
    key: 'node.id',
    default: 1,
    min: 0,
    max: 2 ** 31 - 1,
    doc: 'Number of this node in its cluster. It is written into the data directory and cannot change.',
  }),
  rack: setting.text({
    key: 'broker.rack',
    default: '',
    doc: 'Rack, zone or host of the node; replicas of a partition avoid to share one.',
  }),
  clusterId: setting.text({
    key: 'cluster.id',
    default: '',
    doc: 'Id that a new cluster gets, or that an existing data directory must have. Empty: a new one is drawn, and any is accepted.',
  }),
  voters: setting.text({
    key: 'controller.quorum.voters',
    default: '',
    doc: 'The nodes that form the cluster, as ID@HOST:PORT of their peer listeners, with commas between; the same on all nodes. Later it only says where to find them. Empty: this node is a cluster by itself, and has no peer listener.',
  }),
  peerListener: setting.text({
    key: 'peer.listener',
    default: '127.0.0.1:9093',
    doc: 'HOST:PORT where the other nodes of the cluster reach this one; port 0 picks a free one.',
  }),
  peerAdvertisedListener: setting.text({
    key: 'peer.advertised.listener',
    default: '',
    doc: 'HOST:PORT that other nodes are told to connect to. Empty: what the voters say of this node, or else the listener itself.',
  }),
  peerTlsCertFile: setting.text({
    key: 'peer.tls.cert.file',
    default: '',
    doc: 'PEM file with the certificate chain that this node shows to others, as server and as client; with key and authorities it switches TLS between nodes on.',
  }),
  peerTlsKeyFile: setting.text({
    key: 'peer.tls.key.file',
    default: '',
    doc: 'PEM file with the private key of that certificate.',
  }),
  peerTlsCaFile: setting.text({
    key: 'peer.tls.ca.file',
    default: '',
    doc: 'PEM file with the authorities whose certificates other nodes must present.',
  }),
  grpcListener: setting.text({
    key: 'grpc.listener',
    default: '127.0.0.1:9095',
    doc: 'HOST:PORT of the gRPC API; port 0 picks a free one.',
  }),
  grpcAdvertisedListener: setting.text({
    key: 'grpc.advertised.listener',
    default: '',
    doc: 'HOST:PORT that clients are told to connect to. Empty: the listener itself.',
  }),
  httpListener: setting.text({
    key: 'http.listener',
    default: '127.0.0.1:9644',
    doc: 'HOST:PORT of metrics and health (/metrics, /healthz, /readyz); empty for none.',
  }),
  insecure: setting.boolean({
    key: 'insecure',
    default: false,
    doc: 'Allows a gRPC or Kafka listener beyond loopback without TLS and client certificates: anybody who reaches it may do anything.',
  }),
  httpInsecure: setting.boolean({
    key: 'http.insecure',
    default: false,
    doc: 'Allows an HTTP listener beyond loopback: anybody who reaches it can read metrics and health. `insecure` allows it, too.',
  }),
  tlsCertFile: setting.text({
    key: 'grpc.tls.cert.file',
    default: '',
    doc: 'PEM file with the certificate chain of the gRPC listener; with the key file it switches TLS on.',
  }),
  tlsKeyFile: setting.text({
    key: 'grpc.tls.key.file',
    default: '',
    doc: 'PEM file with the private key of the gRPC listener.',
  }),
  tlsClientCaFile: setting.text({
    key: 'grpc.tls.client.ca.file',
    default: '',
    doc: 'PEM file with the authorities whose client certificates are accepted; with it every client must present one (mTLS).',
  }),
  kafkaListeners: setting.text({
    key: 'kafka.listeners',
    default: 'PLAINTEXT://127.0.0.1:9092',
    doc: 'Where Kafka clients are served: NAME://HOST:PORT, several with commas between; empty for nowhere. Port 0 picks a free one.',
  }),
  kafkaAdvertisedListeners: setting.text({
    key: 'kafka.advertised.listeners',
    default: '',
    doc: 'What the clients of a listener are told to connect to, as NAME://HOST:PORT with the name of the listener. Those that are left out: the listener itself.',
  }),
  kafkaSecurityProtocols: setting.text({
    key: 'kafka.listener.security.protocol.map',
    default: 'PLAINTEXT:PLAINTEXT,SSL:SSL',
    doc: 'What the listeners of a name speak, as NAME:PLAINTEXT or NAME:SSL.',
  }),
  kafkaTlsCertFile: setting.text({
    key: 'kafka.tls.cert.file',
    default: '',
    doc: 'PEM file with the certificate chain of the Kafka listeners that speak SSL.',
  }),
  kafkaTlsKeyFile: setting.text({
    key: 'kafka.tls.key.file',
    default: '',
    doc: 'PEM file with the private key of the Kafka listeners that speak SSL.',
  }),
  kafkaTlsClientCaFile: setting.text({
    key: 'kafka.tls.client.ca.file',
    default: '',
    doc: 'PEM file with the authorities whose client certificates the Kafka listeners accept; with it every client must present one (mTLS).',
  }),
  shutdownTimeoutMs: setting.ms({
    key: 'shutdown.timeout.ms',
    default: 25_000,
    min: 0,
    doc: 'How long a graceful stop waits for open streams before it cuts them, and then for the disk (at least 10 s).',
  }),
};

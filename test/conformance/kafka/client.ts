/** A client written by others, with the program that puts it through the features. */
export interface Client {
  /** The heading of its column. */
  readonly name: string;
  /** For `--client`, and in the names of its topics. */
  readonly id: string;
  /** Whether librdkafka speaks for it, with its ways of judging a broker by the versions it announces. */
  readonly isLibrdkafka?: true;
  /** Partitions of the topics that are made before it runs, for one that cannot make any. */
  readonly topics?: { readonly [name: string]: number };
  /**
   * Installs it pinned, if need be, and says how its program is started; the job is appended to the
   * arguments.
   *
   * @throws MissingToolchainError or UnavailableError if this machine cannot have it
   */
  prepare(): Promise<Program>;
}

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: { readonly [name: string]: string };
}

/** What a program is told, as JSON. */
export interface Job {
  /** `host:port` */
  readonly server: string;
  /** What the names of its topics begin with, so that runs do not meet. */
  readonly prefix: string;
  /** Whether it may ask for a restart of the server. */
  readonly canRestart: boolean;
  /** Null if there is none. */
  readonly cluster: Cluster | null;
  /** Null if the server is not ours to configure. */
  readonly listeners: Listeners | null;
  readonly certificates: Certificates;
}

/** Several brokers of one cluster, beside the one of all other features. */
export interface Cluster {
  /** `host:port` of each. */
  readonly servers: readonly string[];
  /** Topics, and for each a broker that does not lead it. */
  readonly topics: readonly { readonly topic: string; readonly server: string }[];
}

/** Listeners of the server, beside the one of all other features; all as `host:port`. */
export interface Listeners {
  /** Plain ones: where to ask, and what clients must be told there. */
  readonly named: readonly { readonly server: string; readonly advertised: string }[];
  readonly tls: string;
  /** One that asks every client for a certificate. */
  readonly mutualTls: string;
}

/** Paths of files in PEM. */
export interface Certificates {
  readonly ca: string;
  /** Of an authority that has signed nothing that the server shows. */
  readonly otherCa: string;
  readonly client: CertificateAndKey;
  /** Signed by the other authority. */
  readonly stranger: CertificateAndKey;
}

interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

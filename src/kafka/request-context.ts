import type { Broker } from '../broker/broker.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** Where clients of one listener find a broker. */
export interface KafkaEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  /** Empty if the broker has none. */
  readonly rack: string;
}

/** What all requests of a listener share. */
export interface ListenerFacts {
  readonly broker: Broker;
  readonly config: KafkaConfig;
  /** The brokers as clients of this listener reach them, sorted by node id. */
  endpoints(): readonly KafkaEndpoint[];
}

/** What a request is served with beside its own fields. */
export interface RequestContext extends ListenerFacts {
  readonly version: number;
  readonly clientId: string;
  /** Calls back once when the answer is on its way, or never will be: what it was lent can go. */
  whenSent(fn: () => void): void;
  /** Ends the connection in place of an answer, which could not say what is wrong. */
  close(): void;
  /** Calls back if the connection closes before there is an answer. */
  whenClosed(fn: () => void): void;
}

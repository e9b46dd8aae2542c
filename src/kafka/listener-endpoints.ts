import { listedBrokers, type MetadataImage } from '../metadata/image.ts';
import type { KafkaEndpoint } from './request-context.ts';

/**
 * The brokers in service as clients of one listener reach them, sorted by node id: by the listener of
 * the same name (KIP-103). A broker without such a listener is left out, as in Kafka.
 */
export const endpointsOf = (image: MetadataImage, listenerName: string): KafkaEndpoint[] =>
  listedBrokers(image).flatMap(({ nodeId, rack, listeners }) => {
    const listener = listeners.find(({ name }) => name === listenerName);
    return listener === undefined
      ? []
      : [{ nodeId, host: listener.host, port: listener.port, rack }];
  });

import type { Client } from './client.ts';
import { javaClients, javaTools } from './java-clients.ts';
import { kafkaJavascript } from './kafka-javascript.ts';
import { kcat } from './kcat.ts';
import { kafkajs, platformatic } from './node-clients.ts';
import { confluentKafka, kafkaPython } from './python-clients.ts';

/** The columns of the table, in their order. */
export const CLIENTS: readonly Client[] = [
  javaClients,
  javaTools,
  confluentKafka,
  kafkaJavascript,
  kcat,
  kafkajs,
  platformatic,
  kafkaPython,
];

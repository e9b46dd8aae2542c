import type { Mode } from '../scenario.ts';

/** What a load process can do, in every language. */
export type Work = 'produce' | 'fill' | 'fetch' | 'latency' | 'first';

/**
 * What a load process is told, as JSON in its first argument; a work does not look at the fields it
 * has no use for. All but `fetch` make the topic if it is not there.
 *
 * - `produce` keeps `outstandingRecords` unacknowledged and counts what is acknowledged in the timed
 *   part; `fill` sends `records`. Both answer `records` and `seconds`.
 * - `fetch` reads the topic's `records` again and again; it answers the same, of all clients.
 * - `latency` sends `ratePerSecond` to one partition and answers `ack` and `endToEnd`.
 * - `first` says `waiting`, asks for the server until it is there, and sends one record.
 */
export interface LoadJob {
  readonly work: Work;
  /** HOST:PORT */
  readonly server: string;
  /** What the topic promises with an acknowledgement; `default`: what its system does by itself. */
  readonly mode: Mode;
  readonly recordBytes: number;
  readonly partitions: number;
  readonly clients: number;
  readonly outstandingRecords: number;
  readonly records: number;
  readonly by: 'record' | 'batch';
  readonly ratePerSecond: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

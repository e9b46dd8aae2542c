import { afterAll } from 'vitest';
import { connect } from '../../../src/client/main.ts';
import { startBroker, type TestBroker } from '../../../src/testing/main.ts';
import { type Finished, type RunOptions, varve } from './run-varve.ts';

/** Runs command lines against a broker in memory that ends with the test file. */
export async function varveAtBroker(): Promise<{
  readonly broker: TestBroker;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Finished>;
}> {
  const broker = await startBroker();
  afterAll(() => broker.close());
  const variables = { VARVE_BROKERS: broker.address };
  return { broker, run: (args, options) => varve(args, { variables, connect, ...options }) };
}

import { type Client, type ClientOptions, openClient } from '../../src/client/client.ts';
import { type SimulatedMachine, simulatedEnv } from '../simulation/env/simulated-env.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-broker.ts';

/** A client and fake brokers on virtual time. */
export interface FakeWorld {
  readonly machine: SimulatedMachine;
  readonly cluster: FakeCluster;
  readonly client: Client;
  /** Lets events happen until the promise is settled. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  /** The error a promise fails with. */
  failure(promise: Promise<unknown>): Promise<Error & { code?: string }>;
}

export async function fakeWorld(
  options: FakeClusterOptions = {},
  clientOptions: Partial<ClientOptions> = {},
): Promise<FakeWorld> {
  const machine = simulatedEnv({ seed: 1 });
  const { scheduler, env } = machine;
  const cluster = await FakeCluster.start(env.timers, options);
  const { transport } = cluster;
  const opening = openClient({ brokers: cluster.addresses, ...clientOptions }, { env, transport });
  const client = await scheduler.complete(opening);
  return {
    machine,
    cluster,
    client,
    run: (promise) => scheduler.complete(promise),
    pass: (ms) => scheduler.run(scheduler.nowMs + ms),
    failure: async (promise) => {
      const outcome = promise.then(
        (value) => ({ value }),
        (error: Error) => ({ error }),
      );
      const settled = await scheduler.complete(outcome);
      if ('error' in settled) return settled.error;
      throw new Error(`expected a failure, not ${JSON.stringify(settled.value)}`);
    },
  };
}

/** A second client of the same brokers, which knows nothing yet. */
export function anotherClient({ machine, cluster, run }: FakeWorld): Promise<Client> {
  const { transport, addresses } = cluster;
  return run(openClient({ brokers: addresses }, { env: machine.env, transport }));
}

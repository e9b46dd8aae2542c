import { type Client, openClient } from '../../../src/client/client.ts';
import type { ClientEnv } from '../../../src/client/client-env.ts';
import { VarveError } from '../../../src/client/errors.ts';
import type { Transport } from '../../../src/rpc/transport.ts';
import type { SimulatedRandom } from '../env/simulated-random.ts';
import type { History } from '../history.ts';

/** Where the broker listens. */
export const BROKER_ADDRESS = '127.0.0.1:9095';

/** What those who use the broker share. */
export interface Scene {
  readonly history: History;
  readonly env: ClientEnv;
  readonly transport: Transport;
  /** Of this scene; actors fork it by their names. */
  readonly random: SimulatedRandom;
  /** The load is over: everybody comes to an end. */
  isOver(): boolean;
  /** Calls `listener` at every power cut from now on; the result ends that. */
  onPowerCut(listener: () => void): () => void;
  /** An administrative change was acknowledged just now. */
  changed(): Promise<void>;
}

export const sleep = (scene: Scene, ms: number): Promise<void> =>
  new Promise((resolve) => {
    scene.env.timers.after(ms, resolve);
  });

/** A client of its own; waits until there is a broker. */
export async function connected(scene: Scene): Promise<Client> {
  const { env, transport } = scene;
  for (;;) {
    try {
      return await openClient({ brokers: [BROKER_ADDRESS] }, { env, transport });
    } catch (error) {
      if (!VarveError.is(error) || !error.retriable) throw error;
      await sleep(scene, 20);
    }
  }
}

/** How long one call may take before it is made anew; longer than the broker is ever away. */
const CALL_TIMEOUT_MS = 20_000;

/** Makes a call until it is answered: with a result, or with an error that does not pass. */
export async function answered<T>(
  scene: Scene,
  call: (options: { timeoutMs: number }) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await call({ timeoutMs: CALL_TIMEOUT_MS });
    } catch (error) {
      if (!VarveError.is(error) || !error.retriable) throw error;
      await sleep(scene, 20);
    }
  }
}

import type { Broker } from '../broker/broker.ts';
import type { Env } from '../env/ports.ts';
import type { KafkaConfig } from '../kafka/kafka-config.ts';
import { KafkaDoor } from '../kafka/kafka-door.ts';
import { KafkaListener } from '../kafka/kafka-listener.ts';
import type { KafkaEndpoint } from '../kafka/request-context.ts';
import type { KafkaListenerPlan } from './kafka-listeners.ts';
import type { Certificates } from './tls-files.ts';

export interface KafkaDoorsParts {
  readonly env: Env;
  readonly broker: Broker;
  readonly config: KafkaConfig;
  readonly rack: string;
  onRefused(reason: string, peer: string, detail?: string): void;
}

/** The Kafka door with all its listeners. */
export class KafkaDoors {
  readonly #parts: KafkaDoorsParts;
  readonly #door: KafkaDoor;
  readonly #listeners: KafkaListener[] = [];

  private constructor(parts: KafkaDoorsParts) {
    this.#parts = parts;
    this.#door = new KafkaDoor({ ...parts.env, onRefused: parts.onRefused });
  }

  /** Rejects if one of the listeners cannot be opened; then none is. */
  static async open(
    plans: readonly KafkaListenerPlan[],
    tls: Certificates | undefined,
    parts: KafkaDoorsParts,
  ): Promise<KafkaDoors> {
    const doors = new KafkaDoors(parts);
    try {
      for (const plan of plans) await doors.#listen(plan, tls);
    } catch (error) {
      await doors.close(0);
      throw error;
    }
    return doors;
  }

  /** `HOST:PORT` of every listener, in the order of the settings. */
  get addresses(): string[] {
    return this.#listeners.map(({ text }) => text);
  }

  /** Ends when all that was asked is answered, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#door.stop();
    const closed = Promise.all(this.#listeners.map((listener) => listener.close()));
    const cut = (): void => {
      for (const listener of this.#listeners) listener.cut();
    };
    const timer = timeoutMs > 0 ? this.#parts.env.timers.after(timeoutMs, cut) : null;
    if (timer === null) cut();
    await closed;
    timer?.cancel();
  }

  async #listen(plan: KafkaListenerPlan, tls: Certificates | undefined): Promise<void> {
    const { broker, config, rack, onRefused } = this.#parts;
    // Clients of a listener are sent to the listener of the same name (KIP-103).
    const endpoints = (): KafkaEndpoint[] => [{ nodeId: broker.nodeId, ...advertised(), rack }];
    const listener: KafkaListener = await KafkaListener.listen(
      plan.address,
      this.#door,
      { broker, config, endpoints },
      { onRefused, ...(plan.isTls && tls !== undefined ? { tls } : {}) },
    );
    const advertised = () => plan.advertised ?? listener.address;
    this.#listeners.push(listener);
  }
}

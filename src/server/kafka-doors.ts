import type { Broker } from '../broker/broker.ts';
import type { Env } from '../env/ports.ts';
import type { KafkaConfig } from '../kafka/kafka-config.ts';
import { KafkaDoor } from '../kafka/kafka-door.ts';
import { KafkaListener } from '../kafka/kafka-listener.ts';
import { endpointsOf } from '../kafka/listener-endpoints.ts';
import type { BrokerListener } from '../metadata/metadata-records.ts';
import type { KafkaListenerPlan } from './kafka-listeners.ts';
import type { Certificates } from './tls-files.ts';

export interface KafkaDoorsParts {
  readonly env: Env;
  readonly broker: Broker;
  readonly config: KafkaConfig;
  onRefused(reason: string, peer: string, detail?: string): void;
}

/**
 * The Kafka door with all its listeners. They are open before the broker registers, as its registration
 * says where they are; who connects is served from `begin` on, when there is something to be told.
 */
export class KafkaDoors {
  readonly #parts: KafkaDoorsParts;
  readonly #door: KafkaDoor;
  readonly #listeners: KafkaListener[] = [];
  readonly #advertised: BrokerListener[] = [];
  readonly #begun = Promise.withResolvers<void>();

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

  /** Where clients find this broker, for its registration. */
  get advertised(): readonly BrokerListener[] {
    return this.#advertised;
  }

  /** Lets clients in. */
  begin(): void {
    this.#begun.resolve();
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
    const { broker, config, onRefused } = this.#parts;
    const { name, isTls } = plan;
    const begun = this.#begun.promise;
    const listener = await KafkaListener.listen(
      plan.address,
      this.#door,
      { broker, config, endpoints: () => endpointsOf(broker.image, name) },
      { onRefused, begun, ...(isTls && tls !== undefined ? { tls } : {}) },
    );
    this.#listeners.push(listener);
    const address = plan.advertised ?? listener.address;
    this.#advertised.push({ name, ...address, securityProtocol: isTls ? 'SSL' : 'PLAINTEXT' });
  }
}

import type { Clock, Random } from '../env/ports.ts';
import { producerId } from '../model/ids.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import { retryMs } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import { errorOfCall, VarveError } from './errors.ts';
import type { ProducerIdentity } from './producer-batch.ts';

/** Gets the id under which an idempotent producer sends, when it first needs one. */
export class ProducerIds {
  readonly #timeoutMs: number;
  readonly #env: { readonly clock: Clock; readonly random: Random };
  readonly #channels: BrokerChannels;
  readonly #onChange: () => void;
  #current: ProducerIdentity | undefined;
  #error: VarveError | undefined;
  #isAsking = false;
  #attempts = 0;
  #askAtMs = Number.NEGATIVE_INFINITY;

  /** @param onChange is called when there is an id, and when there is an error */
  constructor(
    timeoutMs: number,
    env: { readonly clock: Clock; readonly random: Random },
    channels: BrokerChannels,
    onChange: () => void,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#env = env;
    this.#channels = channels;
    this.#onChange = onChange;
  }

  /** The id in use; `undefined` while there is none. */
  get current(): ProducerIdentity | undefined {
    return this.#current;
  }

  /** Why there is no id. */
  get error(): VarveError | undefined {
    return this.#error;
  }

  /** When `ask` may be called again after a failure. */
  get askAtMs(): number {
    return this.#askAtMs;
  }

  /** Gets an id if there is none, one call at a time. */
  ask(): void {
    const isEarly = this.#env.clock.monotonicMs() < this.#askAtMs;
    if (this.#isAsking || this.#current !== undefined || isEarly) return;
    this.#isAsking = true;
    const { allocateProducerId } = adminMethods;
    const answer = this.#channels.callAny(allocateProducerId, {}, { timeoutMs: this.#timeoutMs });
    answer.then(
      ({ producerId: id, producerEpoch: epoch }) => {
        this.#current = { id: producerId(id), epoch };
        this.#error = undefined;
        this.#attempts = 0;
        this.#asked();
      },
      (cause: unknown) => {
        const error = errorOfCall(cause, 'no producer id');
        this.#error = VarveError.is(error)
          ? error
          : new VarveError('UNKNOWN_SERVER_ERROR', 'no producer id', { cause });
        const waitMs = retryMs(this.#attempts, this.#env.random);
        this.#attempts++;
        this.#askAtMs = this.#env.clock.monotonicMs() + waitMs;
        this.#asked();
      },
    );
  }

  /** The id is used up somewhere: the next `ask` gets another. */
  retire(identity: ProducerIdentity): void {
    if (this.#current === identity) this.#current = undefined;
  }

  #asked(): void {
    this.#isAsking = false;
    this.#onChange();
  }
}

import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { int16, int32, int64, string } from '../fields.ts';
import { codeOf, outcomeOf } from '../kafka-errors.ts';

const request = {
  transactionalId: string('0+', { nullable: '0+' }),
  transactionTimeoutMs: int32('0+'),
  producerId: int64('3+', { default: -1 }),
  producerEpoch: int16('3+', { default: -1 }),
};

const response = {
  throttleTimeMs: int32('0+'),
  errorCode: int16('0+'),
  producerId: int64('0+', { default: -1 }),
  producerEpoch: int16('0+'),
};

const refused = (errorCode: number) => ({
  throttleTimeMs: 0,
  errorCode,
  producerId: -1,
  producerEpoch: -1,
});

/** Gives an idempotent producer an id that nobody had before; whatever id it had is not looked at. */
export const initProducerId: Api = api(
  { key: 22, name: 'InitProducerId', versions: '0-5', flexible: '2+', request, response },
  async ({ transactionalId }, { broker }) => {
    // There are no transactions yet, and clients know that from ApiVersions.
    if (transactionalId !== null) return refused(Errors.INVALID_REQUEST.code);
    try {
      const producerId = await broker.allocateProducerId();
      return { throttleTimeMs: 0, errorCode: Errors.NONE.code, producerId, producerEpoch: 0 };
    } catch (error) {
      return refused(codeOf(outcomeOf(error).row));
    }
  },
);

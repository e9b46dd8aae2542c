import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { ConsumerRecord } from '../../../src/client/record-decoder.ts';

// The compiler does the testing: nothing of this runs against a broker.
const order = v.object({
  at: v.pipe(
    v.string(),
    v.transform((at) => new Date(at)),
  ),
});

test('what is read has the types that were asked for', () => {
  const read = (client: Client) => {
    const topics = ['orders'];
    return {
      plain: client.consumer({ topics }),
      texts: client.consumer({ topics, key: 'string', value: 'json' }),
      orders: client.consumer({ topics, value: order }),
    };
  };
  type Of<K extends 'plain' | 'texts' | 'orders'> =
    ReturnType<typeof read>[K] extends AsyncIterable<infer R> ? R : never;
  expectTypeOf<Of<'plain'>>().toEqualTypeOf<ConsumerRecord<Uint8Array, Uint8Array>>();
  expectTypeOf<Of<'texts'>>().toEqualTypeOf<ConsumerRecord<string, unknown>>();
  expectTypeOf<Of<'orders'>>().toEqualTypeOf<ConsumerRecord<Uint8Array, { at: Date }>>();
});

test('what is sent must have the type that the schema takes', () => {
  const send = async (client: Client) => {
    const producer = client.producer({ key: 'string', value: order });
    await producer.send({ topic: 'orders', key: 'k', value: { at: '2026-01-01' } });
    await producer.send({ topic: 'orders', value: null });
    // @ts-expect-error: the schema takes a text
    await producer.send({ topic: 'orders', value: { at: new Date(0) } });
    // @ts-expect-error: keys are strings here
    await producer.send({ topic: 'orders', key: 7, value: null });
    await client.producer().send({ topic: 'orders', value: 'text or bytes' });
    // @ts-expect-error: a number is neither
    await client.producer().send({ topic: 'orders', value: 7 });
  };
  expectTypeOf(send).returns.toEqualTypeOf<Promise<void>>();
});

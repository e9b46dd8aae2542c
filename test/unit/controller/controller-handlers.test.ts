import { expect, test } from 'vitest';
import { serveController } from '../../../src/controller/controller-handlers.ts';
import { controllerMethods } from '../../../src/controller/controller-service.ts';
import { ApiError } from '../../../src/model/errors.ts';
import { HandlerTable } from '../../../src/rpc/method.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

/** Takes everything, and answers nothing that matters. */
const anything = new Proxy({} as never, { get: () => async () => [] });

test('every method is served', () => {
  const table = new HandlerTable();
  serveController(table, anything, anything);
  const paths = Object.values(controllerMethods).map(({ path }) => path);
  expect([...table.unary.keys()].sort()).toEqual(paths.sort());
});

test('bytes that are no request are refused by name, and nothing else comes of them', async () => {
  const table = new HandlerTable();
  const asked: string[] = [];
  const api = new Proxy({} as never, {
    get: (_, name: string) => async () => {
      asked.push(name);
      throw new ApiError({ code: 1, name: 'ASKED' } as never, 'asked');
    },
  });
  serveController(table, api, api);
  const random = new SimulatedRandom(7);
  const signal = new AbortController().signal;
  const names = new Set<string>();
  for (const handle of table.unary.values()) {
    for (let i = 0; i < 300; i++) {
      const bytes = random.bytes(random.below(60));
      const outcome = await handle(bytes, { peer: 'x', signal }).catch((error: unknown) => error);
      if (!(outcome instanceof ApiError)) throw outcome;
      names.add(outcome.row.name);
    }
  }
  expect(names).toEqual(new Set(['INVALID_REQUEST', 'ASKED']));
  expect(asked.length).toBeGreaterThan(0);
});

import { ApiError } from '../../src/model/errors.ts';

/** `NAME: sentence` of the `ApiError` that a promise rejects with; `done` if it does not. */
export const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error) => {
      if (!(error instanceof ApiError)) throw error;
      return `${error.row.name}: ${error.message}`;
    },
  );

import { ApiError, type ErrorRow, Errors } from '../model/errors.ts';

/** Rows from here on are our own: no Kafka client knows them. */
const FIRST_OWN_CODE = 10_000;
/** Clients print the text; the length of a string may be an int16. */
const MAX_TEXT = 1000;

/**
 * The code that a Kafka client gets for a row. Most of our own rows say that the broker has no room, or
 * stops: clients try such a request again when it is said to have timed out, and give up what is invalid.
 */
export function codeOf(row: ErrorRow): number {
  if (row.code < FIRST_OWN_CODE) return row.code;
  return (row.retriable ? Errors.REQUEST_TIMED_OUT : Errors.INVALID_REQUEST).code;
}

/** What goes beside it: null where there is nothing to say. */
export const textOf = (row: ErrorRow, detail: string = row.message): string | null =>
  row === Errors.NONE ? null : detail.slice(0, MAX_TEXT);

/** The two fields that say how one thing of a request ended; without an error it was done. */
export const errorFields = (
  error: { readonly row: ErrorRow; readonly detail: string } | undefined,
): { readonly errorCode: number; readonly errorMessage: string | null } => ({
  errorCode: codeOf(error?.row ?? Errors.NONE),
  errorMessage: error === undefined ? null : textOf(error.row, error.detail),
});

/** What a use case has failed with, if it is an outcome that a client can be told; else throws it on. */
export function outcomeOf(error: unknown): { readonly row: ErrorRow; readonly detail: string } {
  if (!(error instanceof ApiError)) throw error;
  return { row: error.row, detail: error.message };
}

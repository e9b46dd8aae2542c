import { ApiError, Errors } from '../model/errors.ts';
import type { Member } from '../raft/configuration.ts';
import type { RefusalReason } from '../raft/effects.ts';

/** Everything that comes after a write that failed is answered with this. */
export const cannotStore = (cause: unknown): ApiError =>
  new ApiError(Errors.NOT_CONTROLLER, `this node cannot store the metadata: ${cause}`, { cause });

/** For who has appended something: only nodes that lead know whether it is committed. */
export const notKnown = (cause?: ApiError): ApiError => {
  const why = cause?.message ?? 'this node leads the metadata quorum no longer';
  const detail = `${why}; it is not known here whether the change was made`;
  return new ApiError(Errors.REQUEST_TIMED_OUT, detail, { cause });
};

/** Nothing was changed. */
export function refusal(reason: RefusalReason, leader: Member | null): ApiError {
  if (reason === 'too-much-uncommitted') {
    return new ApiError(Errors.BROKER_OVERLOADED, 'too much metadata waits for a majority');
  }
  const who = leader === null ? 'nobody is known to' : `node ${leader.id} does`;
  return new ApiError(
    Errors.NOT_CONTROLLER,
    `this node does not lead the metadata quorum (${reason}), ${who}`,
  );
}

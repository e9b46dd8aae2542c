import type { RaftMessage } from '../../../src/raft/messages.ts';
import { describeMessage as describe } from '../raft/describe.ts';

/** A line for people. Commands are bytes here, so entries are told by where they stand. */
export function describeMessage(message: RaftMessage): string {
  if (message.kind !== 'append') return describe(message);
  const { epoch, prev, entries, commitIndex } = message;
  const [first, last] = [entries[0], entries.at(-1)];
  const what =
    first === undefined || last === undefined
      ? 'nothing'
      : `${first.index}/${first.epoch}..${last.index}/${last.epoch}`;
  return `append e${epoch} after ${prev.index}/${prev.epoch} ${what} commit ${commitIndex}`;
}

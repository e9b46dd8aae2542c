import { nodeId } from '../model/ids.ts';
import type { Configuration, Member } from '../raft/configuration.ts';
import { int32, MessageTable, repeated, text } from '../rpc/message-table.ts';
import { MAX_DIRECTORY_ID_BYTES } from './configuration-codec.ts';

/** Members as they travel between nodes (`raft.proto`). Reading throws what `corruptIfBroken` takes. */
export const memberTable: MessageTable<Member> = new MessageTable({
  id: int32(1, nodeId),
  directoryId: text(2, MAX_DIRECTORY_ID_BYTES, 'a directory id'),
});

export const configurationTable: MessageTable<Configuration> = new MessageTable({
  voters: repeated(1, memberTable),
  learners: repeated(2, memberTable),
});

/** For maps of members. */
export const memberKey = ({ id, directoryId }: Member): string => `${id} ${directoryId}`;

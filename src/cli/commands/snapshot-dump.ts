import { resolve } from 'node:path';
import { CorruptError } from '../../codec/reader.ts';
import { StoreLockedError } from '../../env/ports.ts';
import { decodeMetadataRecord } from '../../metadata/metadata-record-codec.ts';
import type { LoadedMetadata } from '../../quorum/metadata-store.ts';
import { MetadataStore } from '../../quorum/metadata-store.ts';
import { decodeRecords } from '../../quorum/quorum-entry.ts';
import type { Configuration, Member } from '../../raft/configuration.ts';
import { ChunkedOutput } from '../chunked-output.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

export interface SnapshotDumpOptions {
  readonly log?: boolean;
  readonly json?: boolean;
}

/** One line of what is shown: its kind, and fields by name. */
type Line = Readonly<Record<string, unknown>> & { readonly type: string };

/**
 * `varve snapshot dump`: the metadata in the snapshot of a node that is stopped, a line each; with
 * `--log` also the entries behind it. The folder is that of the node, or `metadata` in it.
 */
export async function dumpSnapshot(
  path: string,
  options: SnapshotDumpOptions,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const dataDirectory = await findDataDirectory(path, context);
  const metadata = await load(dataDirectory, path, context);
  const output = new ChunkedOutput(context.output);
  for (const line of linesOf(metadata, options.log ?? false, path)) {
    signal.throwIfAborted();
    output.add(options.json ? `${JSON.stringify(line)}\n` : textOf(line));
    if (output.isFull) await output.flush();
  }
  await output.flush();
}

/** To open a store that is not there would make one. */
async function findDataDirectory(path: string, { env }: CommandContext): Promise<string> {
  const found = resolve(path);
  const isFolder = async (each: string) => (await env.files.stat(each))?.kind === 'directory';
  if (!(await isFolder(found))) throw failure(`${path}: there is no such folder`);
  if (await isFolder(`${found}/metadata`)) return found;
  const parent = resolve(found, '..');
  if (found === resolve(parent, 'metadata')) return parent;
  throw failure(`${path} holds no metadata; give the data directory of a node`);
}

async function load(
  dataDirectory: string,
  path: string,
  { env }: CommandContext,
): Promise<LoadedMetadata> {
  try {
    const store = await MetadataStore.open(env.stores, dataDirectory);
    try {
      const loaded = await store.load();
      if (loaded !== undefined) return loaded;
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
    throw failure(`${path} is in use by a node; stop it first`, { cause: error });
  }
  throw failure(`${path} is not part of a cluster yet`);
}

function* linesOf(
  { snapshot, records, entries }: LoadedMetadata,
  withLog: boolean,
  path: string,
): Generator<Line> {
  const { index, epoch } = snapshot?.last ?? { index: 0, epoch: 0 };
  yield { type: 'snapshot', index, epoch, ...membersOf(snapshot?.configuration) };
  for (const record of records) yield decoded(record, `the snapshot in ${path}`);
  if (!withLog) return;
  for (const entry of entries) {
    const about = { type: 'entry', index: entry.index, epoch: entry.epoch, kind: entry.kind };
    yield entry.kind === 'configuration' ? { ...about, ...membersOf(entry.configuration) } : about;
    if (entry.kind !== 'command') continue;
    for (const record of decodeRecords(entry.bytes)) {
      yield decoded(record, `entry ${entry.index} in ${path}`);
    }
  }
}

const membersOf = (configuration: Configuration | undefined) => ({
  voters: configuration?.voters.map(memberName) ?? [],
  learners: configuration?.learners.map(memberName) ?? [],
});

const memberName = ({ id, directoryId }: Member): string => `${id}@${directoryId}`;

function decoded(record: Uint8Array, where: string): Line {
  try {
    return { ...decodeMetadataRecord(record) };
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw failure(`${where} has a record that cannot be read: ${error.message}`, { cause: error });
  }
}

function textOf({ type, ...fields }: Line): string {
  const words = Object.entries(fields).map(([name, value]) => ` ${name}: ${shown(value)}`);
  return `${type}${words.join('')}\n`;
}

/** A text stands as it is unless that could be mistaken for something else. */
function shown(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(',');
  if (typeof value === 'string' && /^[\w.:@/-]+$/.test(value)) return value;
  return JSON.stringify(value);
}

const failure = (message: string, options?: ErrorOptions): CommandError =>
  new CommandError(ExitCode.failure, message, options);

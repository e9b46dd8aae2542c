import { crc32c } from '../codec/crc32c.ts';
import { FileError, type FileSystem, type Random } from '../env/ports.ts';
import { randomId } from '../env/random-id.ts';
import { replaceFile, swapFile } from '../env/replace-file.ts';
import { type NodeId, nodeId } from '../model/ids.ts';
import { IDENTITY_FILE, MARKS_FILE } from './file-names.ts';

/** Whose a data directory is. */
export interface Identity {
  /** Empty until the node has formed a cluster with others, or joined one. */
  readonly clusterId: string;
  readonly nodeId: NodeId;
  /** Given to the folder when it was new: a restored or copied one has the id of its origin. */
  readonly directoryId: string;
}

/** Who wants to use a data directory. */
export interface IdentityClaim {
  /** `null`: whatever cluster the folder is of; a new one gets a new cluster id. */
  readonly clusterId: string | null;
  readonly nodeId: NodeId;
  /** A new directory is told its cluster by others, later (`nameCluster`). */
  readonly isNamedLater?: boolean;
}

/** The data directory must not be used by whom wants to; the message says what to do. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
}

const FORMAT_VERSION = 1;

/** What may be in a folder that has no identity yet. */
const namesBeforeIdentity = /^(metadata|hard-state|lost\+found|.*\.tmp)$/;

/**
 * Reads `identity.json` of a data directory and checks that it is the claimed one; a new directory
 * is given an identity. Throws `IdentityError`.
 *
 * The name of a new file is not synced if the node is alone: forming a cluster, which comes next and
 * before anything leans on the identity, makes the file `hard-state` in the same folder and syncs both
 * names. Others are told of a directory before that, so it is durable then.
 */
export async function openIdentity(
  directory: string,
  claim: IdentityClaim,
  ports: { readonly files: FileSystem; readonly random: Random },
): Promise<Identity> {
  const path = `${directory}/${IDENTITY_FILE}`;
  const text = await readText(ports.files, path);
  if (text === undefined) return await createIdentity(directory, claim, ports);
  const identity = parseIdentity(path, text);
  const isNamed = identity.clusterId !== '';
  if (isNamed && claim.clusterId !== null && claim.clusterId !== identity.clusterId) {
    throw new IdentityError(
      `${directory} belongs to cluster ${identity.clusterId}, not ${claim.clusterId}; give the data directory of this cluster, or an empty folder`,
    );
  }
  if (claim.nodeId !== identity.nodeId) {
    throw new IdentityError(
      `${directory} belongs to node ${identity.nodeId}, not ${claim.nodeId}; give node id ${identity.nodeId}, or the data directory of node ${claim.nodeId}`,
    );
  }
  if (isNamed) return identity;
  if (claim.isNamedLater) {
    // Others are told of it; a process that was killed may have left a name that a power cut takes.
    await ports.files.syncDirectory(directory);
    return identity;
  }
  return await nameCluster(directory, identity, claim.clusterId ?? randomId(ports.random), ports);
}

/** The directory is of this cluster from now on; durable when it resolves. */
export async function nameCluster(
  directory: string,
  identity: Identity,
  clusterId: string,
  { files }: { readonly files: FileSystem },
): Promise<Identity> {
  const named = { ...identity, clusterId };
  await replaceFile(files, directory, IDENTITY_FILE, contentOf(named));
  return named;
}

async function createIdentity(
  directory: string,
  claim: IdentityClaim,
  ports: { readonly files: FileSystem; readonly random: Random },
): Promise<Identity> {
  const names = await ports.files.list(directory);
  const foreign = names.find((name) => !namesBeforeIdentity.test(name));
  if (foreign !== undefined) {
    const hint =
      foreign === MARKS_FILE ? 'restore it from a backup of this folder' : 'give an empty folder';
    throw new IdentityError(
      `${directory} holds ${foreign}, but no ${IDENTITY_FILE} says whose it is; ${hint}`,
    );
  }
  const identity: Identity = {
    clusterId: claim.isNamedLater ? '' : (claim.clusterId ?? randomId(ports.random)),
    nodeId: claim.nodeId,
    directoryId: randomId(ports.random),
  };
  const write = claim.isNamedLater ? replaceFile : swapFile;
  await write(ports.files, directory, IDENTITY_FILE, contentOf(identity));
  return identity;
}

const contentOf = (identity: Identity): Uint8Array =>
  new TextEncoder().encode(formatIdentity(identity));

function formatIdentity(identity: Identity): string {
  const fields = { formatVersion: FORMAT_VERSION, ...identity };
  return `${JSON.stringify({ ...fields, crc: checksum(fields) }, null, 2)}\n`;
}

function parseIdentity(path: string, text: string): Identity {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const { formatVersion, clusterId, nodeId: node, directoryId, crc } = fields ?? {};
  // A newer program may have put anything into the rest, also another checksum.
  if (typeof formatVersion === 'number' && formatVersion > FORMAT_VERSION) {
    throw new IdentityError(
      `${path} has format ${formatVersion}, this program knows up to ${FORMAT_VERSION}; run the version that wrote it, or a later one`,
    );
  }
  if (crc !== checksum({ formatVersion, clusterId, nodeId: node, directoryId })) {
    throw unreadable(path);
  }
  return {
    clusterId: clusterId as string,
    nodeId: nodeId(node as number),
    directoryId: directoryId as string,
  };
}

const checksum = (fields: object): string =>
  crc32c(new TextEncoder().encode(JSON.stringify(fields)))
    .toString(16)
    .padStart(8, '0');

const unreadable = (path: string, cause?: unknown): IdentityError =>
  new IdentityError(
    `${path} is damaged, so it cannot be told whose data this is; restore it from a backup, or give an empty folder and let the node catch up from its peers`,
    { cause },
  );

async function readText(files: FileSystem, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await files.readFile(path));
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

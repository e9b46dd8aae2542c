import { dirname } from 'node:path';
import { type GivenSettings, parseSettings } from '../config/parse-settings.ts';
import { type Env, FileError, type FileSystem, StoreLockedError } from '../env/ports.ts';
import { IDENTITY_FILE, MARKS_FILE } from '../log/file-names.ts';
import { type Identity, IdentityError, nameCluster, openIdentity } from '../log/identity.ts';
import { logSettings } from '../log/log-config.ts';
import { LogDirectory, type LogDirectoryOwner } from '../log/log-directory.ts';
import type { NodeId } from '../model/ids.ts';
import { type MetadataMachine, MetadataQuorum, NO_PEERS } from '../quorum/metadata-quorum.ts';
import { quorumSettings } from '../quorum/quorum-config.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface DataDirectoryOptions {
  readonly path: string;
  readonly nodeId: NodeId;
  /** Empty: whatever cluster the folder is of. */
  readonly clusterId: string;
  /** A new folder is part of a cluster with others: it forms none by itself. */
  readonly hasPeers?: boolean;
  readonly settings: GivenSettings;
  /** Threads of the pool that does file I/O. */
  readonly ioThreads: number;
}

/** The threads that the flusher leaves to everything else (DESIGN 4b rule 6). */
const RESERVED_THREADS = 2;

/**
 * The folder of a node: locked, known to be this node's, its metadata loaded, its logs recovered; in
 * this order, so that nothing is written to a folder that is in use or somebody else's.
 */
export class DataDirectory {
  readonly quorum: MetadataQuorum;
  readonly #options: DataDirectoryOptions;
  readonly #env: Env;
  readonly #logger: Logger;
  #identity: Identity;
  #logs: LogDirectory | undefined;

  constructor(
    options: DataDirectoryOptions,
    env: Env,
    logger: Logger,
    opened: { readonly identity: Identity; readonly quorum: MetadataQuorum },
  ) {
    this.#options = options;
    this.#env = env;
    this.#logger = logger;
    this.#identity = opened.identity;
    this.quorum = opened.quorum;
  }

  /**
   * Locks the folder, making it if it is not there, and opens its metadata.
   *
   * @param onFatal called when the metadata can no longer be stored
   * @throws Error that says what to do if the folder is in use, is another's, or is damaged
   */
  static async open(
    options: DataDirectoryOptions,
    env: Env,
    logger: Logger,
    onFatal: (error: unknown) => void,
  ): Promise<DataDirectory> {
    const { path, nodeId, clusterId, settings, hasPeers = false } = options;
    await makeDirectories(env.files, path);
    const config = parseSettings(quorumSettings, settings);
    const { snapshotIntervalEntries } = config;
    const quorum = await openQuorum(
      { dataDirectory: path, snapshotIntervalEntries, timing: config, onFatal },
      env,
      logger,
    );
    try {
      if (quorum.isBegun && (await env.files.stat(`${path}/${IDENTITY_FILE}`)) === undefined) {
        throw new IdentityError(
          `${path} holds the metadata of a cluster, but ${IDENTITY_FILE} is missing; restore it from a backup of this folder`,
        );
      }
      // A folder that was used before had its name made durable then.
      if (!quorum.isBegun) await syncNames(env.files, path);
      if (!quorum.isBegun && (await env.files.stat(`${path}/${MARKS_FILE}`)) !== undefined) {
        throw new IdentityError(
          `${path} holds logs of a cluster, but its metadata is gone; restore metadata/ and hard-state from a backup of this folder, or give an empty folder`,
        );
      }
      // What has begun without a name has begun with others, whatever the settings say now.
      const isNamedLater = hasPeers || quorum.isBegun;
      const claim = { nodeId, clusterId: clusterId || null, isNamedLater };
      const identity = await openIdentity(path, claim, env);
      if (hasPeers && identity.clusterId !== '' && !quorum.isBegun) {
        throw new IdentityError(
          `${path} is of cluster ${identity.clusterId}, but its metadata is gone: what this node has voted for is not known; restore metadata/ and hard-state from a backup of this folder, or give an empty folder and take node ${nodeId} out of the cluster and in again`,
        );
      }
      return new DataDirectory(options, env, logger, { identity, quorum });
    } catch (error) {
      await quorum.close().catch(() => {});
      throw error;
    }
  }

  /**
   * Leads the metadata as the only node of its cluster, which a new folder becomes. Resolves when `machine`
   * has all that was committed before.
   */
  async leadAlone(machine: MetadataMachine): Promise<void> {
    const { identity, quorum } = this;
    const self = { id: identity.nodeId, directoryId: identity.directoryId };
    const { voters, learners } = quorum.storedMembers;
    const others = [...voters, ...learners].filter(({ id }) => id !== self.id);
    if (others.length > 0) {
      const ids = others.map(({ id }) => id).join(', ');
      throw new IdentityError(
        `${this.#options.path} is of a cluster with nodes ${ids}: say where its nodes are (--voters, or controller.quorum.voters)`,
      );
    }
    // A crash before this has left an identity without a cluster; the next start forms it.
    if (!quorum.isBegun) await quorum.begin({ voters: [self], learners: [] });
    quorum.start(self, NO_PEERS, machine);
    await quorum.read();
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** The folder is part of this cluster from now on, durably. */
  async nameCluster(clusterId: string): Promise<void> {
    const { path } = this.#options;
    this.#identity = await nameCluster(path, this.#identity, clusterId, this.#env);
  }

  /** Opens and recovers all logs. */
  async openLogs(owner: LogDirectoryOwner, metrics: Metrics): Promise<LogDirectory> {
    const { path, settings, ioThreads } = this.#options;
    this.#logs = await LogDirectory.open(
      {
        path,
        config: parseSettings(logSettings, settings),
        flusherConcurrency: Math.max(1, ioThreads - RESERVED_THREADS),
      },
      { ...this.#env, metrics },
      owner,
      this.#logger,
    );
    return this.#logs;
  }

  /** Leaves everything durable and clean, and lets the folder go. */
  async close(): Promise<void> {
    try {
      await this.#logs?.close();
    } finally {
      await this.quorum.close();
    }
  }
}

async function openQuorum(
  options: Parameters<typeof MetadataQuorum.open>[0],
  env: Env,
  logger: Logger,
): Promise<MetadataQuorum> {
  try {
    return await MetadataQuorum.open(options, env, logger);
  } catch (cause) {
    if (!(cause instanceof StoreLockedError)) throw cause;
    throw new Error(
      `the data directory ${options.dataDirectory} is in use by another broker; stop that one, or give another --data-dir`,
      { cause },
    );
  }
}

/** Makes a folder and those above it, as far as they are not there. */
async function makeDirectories(files: FileSystem, path: string): Promise<void> {
  const found = await files.stat(path);
  if (found?.kind === 'directory') return;
  if (found !== undefined) throw new Error(`${path} is a file; give a folder for the data`);
  const parent = dirname(path);
  if (parent !== path) await makeDirectories(files, parent);
  await files.makeDirectory(path);
}

/**
 * Makes durable that a folder and those above it are there. Not only what this start has made: the
 * one before may have died right after it made them.
 */
async function syncNames(files: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  try {
    await files.syncDirectory(parent);
  } catch (error) {
    // Who may not even read a folder has made nothing in it, nor in those above.
    if (error instanceof FileError && error.code === 'EACCES') return;
    throw error;
  }
  await syncNames(files, parent);
}

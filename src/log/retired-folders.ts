import { FileError, type FileSystem } from '../env/ports.ts';
import type { TopicId } from '../model/ids.ts';
import { retiredFolder } from './file-names.ts';
import type { LogReporter } from './log-reporter.ts';
import { SerialLane } from './serial-lane.ts';

/** The folders of a data directory that are on their way out: first renamed, later removed. */
export class RetiredFolders {
  readonly #directory: string;
  readonly #files: FileSystem;
  readonly #reporter: LogReporter;
  /** Removes folders, one after another. */
  readonly #removals = new SerialLane();

  constructor(directory: string, files: FileSystem, reporter: LogReporter) {
    this.#directory = directory;
    this.#files = files;
    this.#reporter = reporter;
  }

  /** Removals wait for this. */
  holdUntil(done: Promise<void>): void {
    void this.#removals.run(() => done);
  }

  /** Resolves when the removals that were asked for are done. */
  settled(): Promise<void> {
    return this.#removals.run(() => Promise.resolve());
  }

  /** Renames a folder, if it is there; the caller makes that durable. */
  async retire(name: string, topicId: TopicId, as: 'delete' | 'stray'): Promise<void> {
    const from = `${this.#directory}/${name}`;
    if ((await this.#files.stat(from)) === undefined) return;
    await this.#files.rename(from, `${this.#directory}/${retiredFolder(name, topicId, as)}`);
  }

  removeLater(name: string): void {
    void this.#removals.run(async () => {
      try {
        await this.remove(name);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (error.code === 'ENOENT') return;
        this.#reporter.warn({ folder: name, err: error }, 'cannot remove a deleted partition yet');
      }
    });
  }

  async remove(name: string): Promise<void> {
    const folder = `${this.#directory}/${name}`;
    for (const file of await this.#files.list(folder)) {
      await this.#files.removeFile(`${folder}/${file}`);
    }
    await this.#files.removeDirectory(folder);
  }
}

import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from '../system.ts';
import {
  digestOf,
  INSTALL_TIMEOUT_MS,
  installOnce,
  requireProgram,
  runInstaller,
} from './install.ts';

/** The library and its header come with the module for Go that stands on it. */
const MODULE = 'github.com/confluentinc/confluent-kafka-go/v2';
const VERSION = '2.11.1';
const SOURCES = fileURLToPath(new URL('./librdkafka/', import.meta.url));
/** What the library leaves to the system. */
const SYSTEM_LIBRARIES = ['-lm', '-ldl', '-lpthread', '-lrt'];

/** Gets the library from the Go module proxy and compiles the load program, each once; returns the program. */
export function installLibrdkafka(): string {
  const archive = archiveFor(process.platform, process.arch, usesGlibc());
  const library = installOnce(`librdkafka-${VERSION}`, (folder) => {
    requireProgram('go', 'version');
    const module = downloadModule(folder);
    for (const name of ['rdkafka.h', archive]) {
      copyFileSync(join(module, 'kafka', 'librdkafka_vendor', name), join(folder, name));
    }
  });
  const load = installOnce(`librdkafka-load-${VERSION}-${digestOf(SOURCES)}`, (folder) => {
    requireProgram('gcc', '--version');
    const source = [join(SOURCES, 'load.c'), '-o', join(folder, 'load')];
    const linked = [join(library, archive), ...SYSTEM_LIBRARIES];
    const args = ['-std=gnu11', '-O2', '-Wall', '-isystem', library, ...source, ...linked];
    runInstaller({ file: 'gcc', args, cwd: folder });
  });
  return join(load, 'load');
}

/** The file of the module that holds the library for a machine. */
export function archiveFor(platform: string, arch: string, isGlibc: boolean): string {
  const cpu = new Map([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ]).get(arch);
  if (platform !== 'linux' || cpu === undefined) {
    throw new UnavailableError(
      `the bench has no librdkafka for ${platform} ${arch}, only for linux`,
    );
  }
  return `librdkafka_${isGlibc ? 'glibc' : 'musl'}_linux_${cpu}.a`;
}

function usesGlibc(): boolean {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime !== undefined;
}

/** Returns the folder of Go's own cache where it lies. */
function downloadModule(cwd: string): string {
  const args = ['mod', 'download', '-json', `${MODULE}@v${VERSION}`];
  const timeout = INSTALL_TIMEOUT_MS;
  const { status, stdout } = spawnSync('go', args, { cwd, encoding: 'utf8', timeout });
  if (status !== 0) throw new UnavailableError(`\`go ${args.join(' ')}\` failed: ${stdout}`);
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

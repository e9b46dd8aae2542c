import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce, requireProgram, runInstaller } from './install.ts';

const VERSION = '2.15.2';
const SOURCES = fileURLToPath(new URL('./nats/', import.meta.url));

export interface NatsPrograms {
  readonly server: string;
  readonly load: string;
}

/** Gets the server from the Go module proxy and builds the load program, each once. */
export function installNats(): NatsPrograms {
  const name = `nats-server-${VERSION}`;
  const server = installOnce(name, (folder) => {
    requireProgram('go', 'version');
    const module = `github.com/nats-io/nats-server/v2@v${VERSION}`;
    const env = { GOBIN: folder };
    runInstaller({ file: 'go', args: ['install', module], cwd: folder, env });
  });
  const load = installOnce(`nats-load-${digestOfSources()}`, (folder) => {
    requireProgram('go', 'version');
    const args = ['build', '-o', join(folder, 'load'), '.'];
    runInstaller({ file: 'go', args, cwd: SOURCES });
  });
  return { server: join(server, 'nats-server'), load: join(load, 'load') };
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(SOURCES).sort()) hash.update(readFileSync(join(SOURCES, file)));
  return hash.digest('hex').slice(0, 12);
}

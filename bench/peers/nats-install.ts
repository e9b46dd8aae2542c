import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, installOnce, requireProgram, runInstaller } from './install.ts';

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
  const load = installOnce(`nats-load-${digestOf(SOURCES)}`, (folder) => {
    requireProgram('go', 'version');
    const args = ['build', '-o', join(folder, 'load'), '.'];
    runInstaller({ file: 'go', args, cwd: SOURCES });
  });
  return { server: join(server, 'nats-server'), load: join(load, 'load') };
}

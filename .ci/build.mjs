// Builds the published package: the sources of src/ as JavaScript with types, in dist/. The sources
// find proto/ beside their own folder, which holds for src/ and dist/ alike.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

// What was renamed or deleted in src/ must not live on in the package.
rmSync(join(root, 'dist'), { recursive: true, force: true });

const result = spawnSync(
  process.execPath,
  [join(typescript, 'bin', 'tsc'), '-p', root, '--noEmitOnError'],
  {
    stdio: 'inherit',
  },
);
if (result.error) throw result.error;
if (result.status !== 0) process.exit(result.status ?? 1);

const command = join(root, 'dist', 'cli', 'main.js');
if (!existsSync(command)) {
  console.error(`varve: the build has no ${command}, which package.json names as the command`);
  process.exit(1);
}
chmodSync(command, 0o755);

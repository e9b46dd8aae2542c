// Installs what the scripts need, when it is missing or out of date. Plain JavaScript without
// dependencies, because it runs on whatever Node the machine has, before the pinned one is there.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lockfile = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
const shim = join(root, 'node_modules', '.bin', 'varve');

const isCurrent = () =>
  existsSync(installed) &&
  existsSync(join(root, 'node_modules', '.bin', 'node')) &&
  statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs;

if (!isCurrent()) {
  console.error('varve: installing dependencies…');
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? 'npm' : process.execPath;
  // Not `npm ci`: it refuses a lock file without the builds for other platforms that a registry may
  // lack. With `--no-save` this installs what the lock file says, too.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(command, npm === undefined ? args : [npm, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: '' },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

// In a clone `npx varve` runs the sources; the published package runs its build.
const source = "#!/usr/bin/env node\nimport('../../src/cli/main.ts');\n";
if (!existsSync(shim) || readFileSync(shim, 'utf8') !== source) {
  writeFileSync(shim, source);
  chmodSync(shim, 0o755);
}

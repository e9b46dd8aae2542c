// Builds the published package into dist/: the types of src/ one by one, and its code in as few files
// as its entries allow, because a broker that loads 150 files takes a sixth longer to start. Code
// finds proto/ two folders up, which holds for src/ROOM/, dist/ENTRY/ and dist/chunks/ alike.
// `node .ci/build.mjs FOLDER` builds into that folder instead.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ENTRIES = ['cli/main', 'server/main', 'client/main', 'testing/main'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = resolve(process.argv[2] ?? join(root, 'dist'));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

// What was renamed or deleted in src/ must not live on in the package.
rmSync(out, { recursive: true, force: true });

const result = spawnSync(
  process.execPath,
  [
    ...[join(typescript, 'bin', 'tsc'), '-p', root, '--outDir', out],
    ...['--noEmitOnError', '--emitDeclarationOnly'],
  ],
  { stdio: 'inherit' },
);
if (result.error) throw result.error;
if (result.status !== 0) process.exit(result.status ?? 1);

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  build: {
    ssr: true,
    outDir: out,
    sourcemap: true,
    target: 'node22',
    emptyOutDir: false,
    rolldownOptions: {
      input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(root, 'src', `${entry}.ts`)])),
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name].js',
        // They are in the types; a process keeps the text of all that it has loaded.
        comments: { jsdoc: false },
      },
    },
  },
  plugins: [
    {
      name: 'ascii',
      generateBundle(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk') chunk.code = ascii(chunk.code);
        }
      },
    },
  ],
});

/** A text with one character beyond Latin-1 takes two bytes for each in memory. */
function ascii(code) {
  // Where an escape would mean something else.
  const odd = /\\[^\0-\x7f]|String\.raw/.exec(code);
  if (odd !== null) throw new Error(`cannot be written in ASCII: ${odd[0]}`);
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const command = join(out, 'cli', 'main.js');
if (!existsSync(command)) {
  console.error(`varve: the build has no ${command}, which package.json names as the command`);
  process.exit(1);
}
chmodSync(command, 0o755);

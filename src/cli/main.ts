#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Before anything reads a file: libuv makes its pool of threads at the first use, and with the four
// that it has by itself the flusher could sync only two files at a time.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
// What fails is told in our own words; grpc-js would print its own beside them.
process.env['GRPC_VERBOSITY'] ??= 'NONE';
// V8 counts the bytes of buffers as growth of the heap, and the heap is small here: it would collect
// all of it every few megabytes that pass through, which takes a broker a third of its CPU.
setFlagsFromString('--heap-growing-percent=300');

// Saves a sixth of a start. Node would keep it in /tmp, where somebody else could lay what we then
// run; without a home there is none.
const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, HOME, LOCALAPPDATA } = process.env;
const caches = XDG_CACHE_HOME || (HOME ? join(HOME, '.cache') : LOCALAPPDATA);
const directory = NODE_COMPILE_CACHE || (caches && join(caches, 'varve'));
if (directory) enableCompileCache(directory);

void import('./run-process.ts').then(({ runProcess }) => runProcess());

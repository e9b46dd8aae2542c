#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Before anything reads a file: libuv makes its pool of threads at the first use, and with the four
// that it has by itself the flusher could sync only two files at a time.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
// What fails is told in our own words; grpc-js would print its own beside them.
process.env['GRPC_VERBOSITY'] ??= 'NONE';
// V8 counts the bytes of buffers as growth of the heap, and the heap is small here: it would collect
// all of it every few megabytes that pass through, which takes a broker a third of its CPU.
setFlagsFromString('--heap-growing-percent=300');
enableCompileCache();

void import('./run-process.ts').then(({ runProcess }) => runProcess());

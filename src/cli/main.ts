#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Before anything reads a file: libuv makes its pool of threads at the first use, and with the four
// that it has by itself the flusher could sync only two files at a time.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
// What fails is told in our own words; grpc-js would print its own beside them.
process.env['GRPC_VERBOSITY'] ??= 'NONE';
enableCompileCache();

void import('./run-process.ts').then(({ runProcess }) => runProcess());

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { installOnce, requireProgram, runInstaller } from '../../../../bench/peers/install.ts';
import { UnavailableError } from '../../../../bench/system.ts';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'varve-cache-'));
  vi.stubEnv('VARVE_BENCH_CACHE', cache);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

describe('the cache of peers', () => {
  test('a peer is installed once', () => {
    let fills = 0;
    const fill = (folder: string) => {
      fills++;
      writeFileSync(join(folder, 'server'), '');
    };
    const folder = installOnce('peer-1', fill);
    expect(installOnce('peer-1', fill)).toBe(folder);
    expect(existsSync(join(folder, 'server'))).toBe(true);
    expect(fills).toBe(1);
  });

  test('an install that fails leaves nothing that would pass for a whole one', () => {
    const fail = () => {
      throw new UnavailableError('no network');
    };
    expect(() => installOnce('peer-1', fail)).toThrow('no network');
    expect(readdirSync(cache)).toEqual([]);
  });

  test('a missing program or a failing installer makes the peer unavailable, by name', () => {
    expect(() => requireProgram('no-such-program', '--version')).toThrow(UnavailableError);
    expect(() => requireProgram('no-such-program', '--version')).toThrow('`no-such-program`');
    const installer = { file: process.execPath, args: ['-e', 'process.exit(1)'], cwd: cache };
    expect(() => runInstaller(installer)).toThrow(UnavailableError);
  });
});

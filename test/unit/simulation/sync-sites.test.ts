import { describe, expect, it } from 'vitest';
import { syncSite } from '../../simulation/sync-sites.ts';

const siteOf = (path: string, ...frames: string[]): string | undefined =>
  syncSite(
    'file',
    path,
    ['Error: sync', ...frames.map((frame) => `    at ${frame}`)].join('\n'),
    'data',
  );

describe('the site of a sync', () => {
  it('is the line that calls it, and what is synced', () => {
    const frames = [
      'SimulatedFile.sync (file:///varve/test/simulation/env/simulated-files.ts:9:1)',
      'async Recovery.#walk (file:///varve/src/log/log-recovery.ts:279:7)',
      'async Recovery.run (file:///varve/src/log/log-recovery.ts:100:7)',
    ];
    const site = siteOf('data/orders-0/00000000000000000007.log', ...frames);
    expect(site).toBe('src/log/log-recovery.ts:279 (*.log)');
  });

  it('includes the caller of what syncs for many', () => {
    const frames = [
      'async swapFile (file:///varve/src/env/replace-file.ts:19:5)',
      'async replaceFile (file:///varve/src/env/replace-file.ts:33:3)',
      'async LogDisk.finish (file:///varve/src/log/log-disk.ts:99:5)',
    ];
    expect(siteOf('data/orders-0/leader-epoch-checkpoint.tmp', ...frames)).toBe(
      'src/env/replace-file.ts:19 < src/log/log-disk.ts:99 (leader-epoch-checkpoint.tmp)',
    );
    const own = [
      'async LogDisk.#sync (file:///varve/src/log/log-disk.ts:200:5)',
      'async LogDisk.letGo (file:///varve/src/log/log-disk.ts:150:5)',
    ];
    expect(siteOf('x.log', ...own)).toBe(
      'src/log/log-disk.ts:200 < src/log/log-disk.ts:150 (x.log)',
    );
  });

  it('leaves out what only hands the call on, and is none outside the program', () => {
    const frames = [
      'file:///varve/src/log/patient-files.ts:53:44',
      'Object.syncDirectory (file:///varve/src/log/patient-files.ts:53:29)',
      'LogDisk.cut (file:///varve/src/log/log-disk.ts:148:25)',
    ];
    const stack = frames.map((frame) => `    at ${frame}`).join('\n');
    expect(syncSite('directory', 'data/orders-0', stack, 'data')).toBe(
      'src/log/log-disk.ts:148 (folder of a partition)',
    );
    expect(syncSite('directory', 'data', stack, 'data')).toContain('(data directory)');
    expect(siteOf('x', 'LogWorld.start (file:///varve/test/unit/log/log-world.ts:1:1)')).toBe(
      undefined,
    );
  });
});

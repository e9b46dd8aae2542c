import { UnavailableError } from '../system.ts';

/** Throws `UnavailableError` if a process may not open so many files; Node takes what its hard limit allows. */
export function requireOpenFiles(count: number): void {
  const report = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly hard: number | 'unlimited' } };
  };
  const hard = report.userLimits?.open_files?.hard ?? 'unlimited';
  if (hard === 'unlimited' || hard >= count) return;
  throw new UnavailableError(`it takes ${count} open files, ulimit -Hn allows ${hard}`);
}

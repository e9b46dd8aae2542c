import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from './cache.ts';
import { MissingToolchainError } from './check.ts';
import { execute } from './command.ts';

/**
 * The interpreter of an environment with what a file of requirements names, made once for each set
 * of versions, from wheels only.
 */
export async function pythonEnvironment(name: string, requirementsFile: string): Promise<string> {
  let version: string;
  try {
    version = await execute('python3', ['--version']);
  } catch {
    throw new MissingToolchainError('there is no python3');
  }
  const requirements = readFileSync(requirementsFile, 'utf8');
  const folder = await installOnce(name, `${version}${requirements}`, async (target) => {
    await execute('python3', ['-m', 'venv', target]);
    const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    const python = join(target, 'bin', 'python');
    await execute(python, ['-m', 'pip', 'install', ...options, '-r', requirementsFile]);
  });
  return join(folder, 'bin', 'python');
}

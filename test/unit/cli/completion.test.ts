import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { varve } from './run-varve.ts';

test.each(['bash', 'zsh', 'fish'])('the script for %s is as reviewed', async (shell) => {
  const { code, stdout } = await varve(['completion', shell]);
  expect(code).toBe(0);
  await expect(stdout).toMatchFileSnapshot(`completion/varve.${shell}`);
});

test.each([
  [['varve', 'to'], ['topic']],
  [
    ['varve', 'topic', ''],
    ['create', 'list', 'describe', 'alter', 'delete'],
  ],
  [
    ['varve', 'log', 'dump', '-'],
    ['--records', '--json', '--help'],
  ],
  [
    ['varve', 'quorum', ''],
    ['describe', 'add-voter', 'remove-voter', 'transfer'],
  ],
  [['varve', 'quorum', 'remove-voter', '1', '--f'], ['--force']],
  [['varve', 'snapshot', 'dump', '--l'], ['--log']],
  // Files, which bash completes by itself.
  [['varve', 'log', 'dump', ''], []],
  [['varve', 'topic', 'create', 'name', '--par'], ['--partitions']],
  [
    ['varve', 'produce', '--acks', ''],
    ['all', 'leader'],
  ],
  [['varve', 'completion', 'z'], ['zsh']],
  [['varve', 'produce', 'topic', '--file', ''], []],
  [['varve', 'consume', 'start', '--data'], []],
])('bash completes %j', async (words, expected) => {
  const { stdout: script } = await varve(['completion', 'bash']);
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const call = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _varve`;
  const print = `printf '%s\\n' "\${COMPREPLY[@]}"`;
  const found = execFileSync('bash', ['-c', `${script}\n${call}\n${print}`], { encoding: 'utf8' });
  expect(found.split('\n').filter((line) => line !== '')).toEqual(expected);
});

test('a shell that is not known is wrong usage', async () => {
  expect(await varve(['completion', 'tcsh'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "varve: command-argument value 'tcsh' is invalid for argument 'SHELL'. Allowed choices are bash, zsh, fish\n",
  });
});

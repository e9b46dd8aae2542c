import { expect, test } from 'vitest';
import { archiveFor } from '../../../../bench/peers/librdkafka-install.ts';
import { UnavailableError } from '../../../../bench/system.ts';

test('the library is chosen by processor and C library', () => {
  expect(archiveFor('linux', 'x64', true)).toBe('librdkafka_glibc_linux_amd64.a');
  expect(archiveFor('linux', 'arm64', false)).toBe('librdkafka_musl_linux_arm64.a');
});

test.each([
  ['linux', 's390x'],
  ['darwin', 'arm64'],
])('a machine that it is not made for, %s %s, leaves the load out', (platform, arch) => {
  expect(() => archiveFor(platform, arch, true)).toThrow(UnavailableError);
  expect(() => archiveFor(platform, arch, true)).toThrow(`${platform} ${arch}`);
});

import type { CrashScript } from './explorer.ts';
import { type ExpectedMetadata, MetadataSession } from './metadata-session.ts';

const script = (
  name: string,
  snapshotIntervalEntries: number,
  prepare: (session: MetadataSession) => Promise<void>,
  act: (session: MetadataSession) => Promise<void>,
): CrashScript<ExpectedMetadata> => ({
  name,
  async play(machine, watch) {
    const session = new MetadataSession(machine, snapshotIntervalEntries);
    await prepare(session);
    watch(session);
    await act(session);
  },
});

/** No snapshot. */
const NEVER = 1000;

/** Every protocol that changes the metadata, each as short as it can be. */
export const metadataScripts: readonly CrashScript<ExpectedMetadata>[] = [
  script(
    'making a cluster',
    NEVER,
    async () => {},
    async (session) => {
      await session.begin();
      await session.append(1);
    },
  ),
  script(
    'appends of metadata',
    NEVER,
    (session) => session.begin(),
    async (session) => {
      await session.append(2);
      await Promise.all([session.append(1), session.append(1)]);
      await session.append(1);
    },
  ),
  script(
    'snapshots of metadata',
    2,
    async (session) => {
      await session.begin();
      await session.append(2);
    },
    async (session) => {
      for (let i = 0; i < 7; i++) await session.append(1);
      await session.close();
    },
  ),
  script(
    'snapshots of metadata in many chunks',
    2,
    async (session) => {
      await session.begin();
      await session.append(3, 400_000);
    },
    async (session) => {
      for (let i = 0; i < 5; i++) await session.append(1);
    },
  ),
  script(
    'a second start with metadata',
    3,
    async (session) => {
      await session.begin();
      for (let i = 0; i < 4; i++) await session.append(1);
      await session.close();
    },
    async (session) => {
      await session.begin();
      for (let i = 0; i < 4; i++) await session.append(1);
    },
  ),
];

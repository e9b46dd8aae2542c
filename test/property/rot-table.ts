import { decodeMarks } from '../../src/log/durable-marks.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import type { Reaction } from './rot-observation.ts';
import type { Directory, Image } from './rotten-directory.ts';

/** How the process ended before the damage was done. */
export const ends = ['clean', 'killed'] as const;
export type End = (typeof ends)[number];

export const harms = ['flip', 'zero', 'truncate', 'extend', 'older'] as const;
/** A bit flips, a page is zeros, the end is missing, something follows it, an older version is back. */
export type Harm = (typeof harms)[number];

type Reactions = { readonly [harm in Harm]?: readonly Reaction[] };

/** One kind of file, or part of one, and all that may become of a directory in which it rots. */
export interface RotRow {
  readonly what: string;
  /** Names in the data directory. */
  readonly names: RegExp;
  /** Which bytes; all if it is left out. */
  readonly part?: (directory: Directory) => { readonly from: number; readonly to: number };
  /** Bytes whose lowest bit is flipped in any case. */
  readonly aims?: readonly number[];
  readonly clean: Reactions;
  readonly killed: Reactions;
}

const same = (reactions: Reactions) => ({ clean: reactions, killed: reactions });
const all = (...reactions: Reaction[]): Reactions => ({
  ...{ flip: reactions, zero: reactions, truncate: reactions, extend: reactions },
});

const markedPosition = ({ killed }: Directory): number =>
  decodeMarks(killed.get('durable-marks')!).logs.get('orders-0')!.position;

/** The last byte of each field of a batch's header. */
const headerFields = [7, 11, 15, 16, 20, 22, 26, 34, 42, 50, 52, 56, 60];
/** The id in a `partition.metadata`. */
const topicIdBytes = Array.from({ length: 22 }, (_, i) => 21 + i);

/** Documentation and test: `src/log/BIT-ROT.md` is made of it. */
export const rotRows: readonly RotRow[] = [
  {
    what: 'closed segment, `.log`',
    names: /^orders-0\/0+(15|45)\.log$/,
    aims: headerFields,
    ...same({ ...all('batches refused'), older: ['batches refused'] }),
  },
  {
    what: 'active segment, below the mark',
    names: /^orders-0\/0+90\.log$/,
    part: (directory) => ({ from: 0, to: markedPosition(directory) }),
    clean: {
      flip: ['batches refused'],
      zero: ['batches refused'],
      truncate: ['partition stopped'],
    },
    killed: {
      ...{ flip: ['partition stopped'], zero: ['partition stopped'] },
      truncate: ['partition stopped'],
    },
  },
  {
    what: 'active segment, above the mark',
    names: /^orders-0\/0+90\.log$/,
    part: (directory) => ({ from: markedPosition(directory), to: Number.MAX_SAFE_INTEGER }),
    clean: { extend: ['unharmed'] },
    killed: {
      ...{ flip: ['tail cut'], zero: ['tail cut'], truncate: ['tail cut'] },
      extend: ['unharmed'],
    },
  },
  {
    what: 'indexes of closed segments, `.index` and `.timeindex`',
    names: /^orders-0\/0+(15|45)\.(time)?index$/,
    ...same({ ...all('made anew'), older: ['made anew'] }),
  },
  {
    what: 'indexes of the active segment',
    names: /^orders-0\/0+90\.(time)?index$/,
    clean: { ...all('made anew'), extend: ['unharmed'] },
    killed: all('unharmed'),
  },
  {
    what: 'producers, the newest `.producers`',
    names: /^orders-0\/0+newest\.producers$/,
    ...same(all('made anew')),
  },
  {
    what: 'producers as Kafka writes them, `.snapshot`',
    names: /^orders-0\/0+\d+\.snapshot$/,
    ...same(all('unharmed')),
  },
  {
    what: '`leader-epoch-checkpoint`',
    names: /^orders-0\/leader-epoch-checkpoint$/,
    ...same({ ...all('unharmed'), older: ['unharmed'] }),
  },
  {
    what: 'topic id, `partition.metadata`',
    names: /^orders-0\/partition\.metadata$/,
    // It says the same without its last byte, the end of the line.
    part: () => ({ from: 0, to: 43 }),
    aims: topicIdBytes,
    ...same(all('made anew')),
  },
  {
    what: '`durable-marks`',
    names: /^durable-marks$/,
    ...same({ ...all('start refused'), older: ['start moved back'] }),
  },
  { what: '`identity.json`', names: /^identity\.json$/, ...same(all('start refused')) },
  {
    what: '`hard-state`, one of two slots',
    names: /^hard-state$/,
    part: () => ({ from: 36, to: Number.MAX_SAFE_INTEGER }),
    ...same({ ...all('unharmed'), older: ['unharmed'] }),
  },
  {
    what: 'a value of the key-value store `metadata/`: log, snapshot, hard state',
    names: /^metadata\/(65|68|73)/,
    ...same({ ...all('start refused'), older: ['start refused'] }),
  },
];

const journaledPosition = ({ killed }: Directory): number =>
  decodeMarks(killed.get('durable-marks')!).journal.position;

/** Of a directory with a journal, which a clean stop does not leave. */
export const journalRows: readonly RotRow[] = [
  {
    what: 'commit journal, below the mark',
    names: /^commit-journal\./,
    part: (directory) => ({ from: 0, to: journaledPosition(directory) }),
    clean: {},
    killed: {
      ...{ flip: ['start refused'], zero: ['start refused'], truncate: ['start refused'] },
      older: ['start refused'],
    },
  },
  {
    what: 'commit journal, above the mark',
    names: /^commit-journal\./,
    part: (directory) => ({ from: journaledPosition(directory), to: Number.MAX_SAFE_INTEGER }),
    clean: {},
    killed: {
      ...{ flip: ['tail cut'], zero: ['tail cut'], truncate: ['tail cut'] },
      extend: ['unharmed'],
    },
  },
];

/** The files of an image that a row is about. */
export function namesOf({ names }: RotRow, image: Image): string[] {
  const newest = [...image.keys()].filter((name) => /^orders-0\/.*\.producers$/.test(name)).at(-1);
  const alias = newest?.replace(/\d+\.producers$/, '0newest.producers');
  return [...image.keys()].filter((name) => names.test(name === newest ? alias! : name));
}

export interface RotCase {
  readonly row: RotRow;
  readonly end: End;
  readonly harm: Harm;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly where: number;
}

const PAGE_BYTES = 256;

/** `samples` cases of each cell of the table that says something. */
export function* drawCases(
  directory: Directory,
  samples: number,
  rows: readonly RotRow[] = rotRows,
): Generator<RotCase> {
  const random = new SimulatedRandom(7);
  for (const row of rows) {
    for (const end of ends) {
      const image = directory[end];
      for (const name of namesOf(row, image)) {
        const bytes = image.get(name)!;
        const part = row.part?.(directory);
        const from = part?.from ?? 0;
        const to = Math.min(part?.to ?? bytes.length, bytes.length);
        for (const harm of harms) {
          if (row[end][harm] === undefined) continue;
          const older = directory.older.get(name);
          for (const where of harm === 'flip' ? (row.aims ?? []) : []) {
            const harmed = bytes.slice();
            harmed[where]! ^= 1;
            yield { row, end, harm, name, bytes: harmed, where };
          }
          for (let i = 0; i < (harm === 'older' ? 1 : samples); i++) {
            const where = from === to ? from : random.between(from, to - 1);
            const harmed = harm === 'older' ? older : harmAt(bytes, harm, where, to, random);
            // Zeros may be what was there; not every file has an older version.
            if (harmed === undefined || Buffer.compare(harmed, bytes) === 0) continue;
            yield { row, end, harm, name, bytes: harmed, where };
          }
        }
      }
    }
  }
}

function harmAt(
  bytes: Uint8Array,
  harm: Exclude<Harm, 'older'>,
  where: number,
  end: number,
  random: SimulatedRandom,
): Uint8Array {
  if (harm === 'truncate') return bytes.slice(0, where);
  if (harm === 'extend') {
    const more = new Uint8Array(random.between(1, 2 * PAGE_BYTES)).fill(random.pick([0, 2, 255]));
    return Uint8Array.from([...bytes, ...more]);
  }
  const harmed = bytes.slice();
  if (harm === 'zero') harmed.fill(0, where, Math.min(where + PAGE_BYTES, end));
  else harmed[where]! ^= 1 << random.below(8);
  return harmed;
}

const prose = `# Bit rot

What becomes of a data directory in which a file rots: a bit flips, a page turns to zeros, the end is missing,
something follows it, or an older version of the file is back. This page is made of the table that
\`test/property/bit-rot.test.ts\` tries out, cell by cell, on directories that were stopped in order and (where a cell
says two things, the second) by a kill. Whatever happens, no wrong record is served, no offset is skipped without a
word, and nothing is deleted.

- **batches refused**: a read of the damaged batches is answered \`CORRUPT_MESSAGE\`, with file, byte, and the offset from
  which on reading works again. All other offsets are served. A line in the log and \`varve_log_corrupt_batches_total\`
  tell of each place once, whether a reader or the scrubber (\`log.scrub.interval.ms\`) came upon it.
- **partition stopped**: bytes that were durable are damaged where appends go on. The partition refuses everything, the
  others serve; \`varve_log_damaged_partitions\` counts it, the log says why.
- **tail cut**: bytes above the last mark cannot be told from a write that a crash tore. They were written within
  \`log.marks.interval.ms\` before the end.
- **made anew**: the file says nothing that is not known from elsewhere. It is rebuilt, or passed over for an older
  one; a line in the log and \`varve_log_rebuilt_files_total\`.
- **unharmed**: the file is not read, there is a second copy, or what was added is cut off.
- **start moved back**: records that were deleted from the start of a partition within the lost time are there again.
- **start refused**: nothing is changed; the message names the file and says what to restore.

`;

/** The page. */
export function document(): string {
  const cell = (row: RotRow, harm: Harm): string => {
    const [clean, killed] = ends.map((end) => row[end][harm]?.join(', or ') ?? '');
    if (clean === killed || killed === '') return clean!;
    return clean === '' ? killed! : `${clean} / ${killed}`;
  };
  const lines = [...rotRows, ...journalRows].map(
    (row) => `| ${row.what} | ${harms.map((harm) => cell(row, harm)).join(' | ')} |`,
  );
  const head = `| file | ${harms.join(' | ')} |\n| --- |${' --- |'.repeat(harms.length)}\n`;
  return `${prose}${head}${lines.join('\n')}\n`;
}

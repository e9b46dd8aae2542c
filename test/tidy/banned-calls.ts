import { floors } from './floors.ts';
import { codeOnly, placeOf, roomOf, type SourceFile } from './source-files.ts';

/** Code that only some rooms may contain. */
interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** Rooms that may. */
  readonly rooms: readonly string[];
  readonly instead: string;
}

const EDGE_ROOMS = ['env', 'server', 'cli', 'testing'];

/** Everything nondeterministic enters through `env/`: a ban missing here breaks the simulation. */
export const bans: readonly Ban[] = [
  ban('Date.now', /\bDate\s*\.\s*now\b/g, 'env.clock.wallMs'),
  ban(
    'the date of now',
    /\bnew\s+Date\s*(?:\(\s*\)|[;,)\]}]|$)|(?<!new\s)\bDate\(\s*\)/gm,
    'env.clock.wallMs',
  ),
  ban('performance', /\bperformance\s*\./g, 'env.clock.monotonicMs'),
  ban('Math.random', /\bMath\s*\.\s*random\b/g, 'env.random'),
  ban(
    'random bytes',
    /\b(?:randomUUID|randomBytes|randomInt|randomFill\w*|getRandomValues)\b/g,
    'env.random',
  ),
  ban('a timer', /(?<![.\w])(?:globalThis\.)?set(?:Timeout|Interval|Immediate)\b/g, 'env.timers'),
  ban('AbortSignal.timeout', /\bAbortSignal\s*\.\s*timeout\b/g, 'env.timers'),
  ban('fetch', /(?<![.\w#])fetch\s*\(/g, 'the Transport of rpc/'),
  {
    ...ban('process', /(?<![.\w])(?:globalThis\.)?process\s*\./g, 'what the constructor is given'),
    rooms: EDGE_ROOMS,
  },
];

function ban(name: string, pattern: RegExp, instead: string): Ban {
  return { name, pattern, rooms: ['env'], instead };
}

/** Banned code outside the rooms that may, and anything asynchronous in pure rooms. */
export function checkBannedCalls(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const code = codeOnly(file.text);
    const room = roomOf(file.path) ?? '';
    const findings = bans
      .filter(({ rooms }) => !rooms.includes(room))
      .flatMap(({ name, pattern, instead }) =>
        [...code.matchAll(pattern)].map(
          ({ index }) => `${placeOf(file, index)} uses ${name}, use ${instead}`,
        ),
      );
    if (floors.get(room)?.isPure) findings.push(...findAsync(file, code));
    return findings;
  });
}

function findAsync(file: SourceFile, code: string): string[] {
  return [...code.matchAll(/\b(?:await|async|Promise)\b/g)].map(
    ({ index, 0: word }) => `${placeOf(file, index)} has ${word} in a pure room`,
  );
}

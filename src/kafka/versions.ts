/** Versions of an API or of a field, both ends included. */
export interface VersionRange {
  readonly first: number;
  /** Infinity for "and all that come". */
  readonly last: number;
}

export const NO_VERSIONS: VersionRange = { first: Number.POSITIVE_INFINITY, last: -1 };

/** Reads ranges as Kafka's message definitions write them: `3`, `3-11`, `3+`, `none`. */
export function versions(text: string): VersionRange {
  if (text === 'none') return NO_VERSIONS;
  const match = /^(\d+)(?:-(\d+)|(\+))?$/.exec(text);
  if (match === null) throw new Error(`"${text}" is no range of versions, write 3, 3-11 or 3+`);
  const [, first, last, open] = match;
  if (open !== undefined) return { first: Number(first), last: Number.POSITIVE_INFINITY };
  return { first: Number(first), last: Number(last ?? first) };
}

export const includes = ({ first, last }: VersionRange, version: number): boolean =>
  version >= first && version <= last;

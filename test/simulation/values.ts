/**
 * Values that tell which send they are of. They are text, so that they compress as records do, and
 * their content follows from the number and the size alone.
 */
export function valueOfSend(sendId: number, bytes: number): Uint8Array {
  const head = `${sendId}|`;
  const filler = `${(sendId * 2_654_435_761) >>> 0}.`;
  const text = head + filler.repeat(Math.ceil(bytes / filler.length) + 1);
  return new Uint8Array(Buffer.from(text.slice(0, Math.max(bytes, head.length)), 'latin1'));
}

/** The number of the send that a value is of; -1 if no value begins like this. */
export function sendIdOf(value: Uint8Array | null): number {
  if (value === null) return -1;
  const match = /^(\d{1,9})\|/.exec(Buffer.from(value.subarray(0, 12)).toString('latin1'));
  return match === null ? -1 : Number(match[1]);
}

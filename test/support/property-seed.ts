import fc from 'fast-check';

/** `PROPERTY_SEED` lets property tests begin with that seed, so that a run can be had again. */
const text = process.env['PROPERTY_SEED'];

/** The first seed of tests that go through seeds of their own. */
export const firstSeed: number = text === undefined ? 1 : Number(text);

// A run that goes red is to name its check, not to find the smallest case.
if (text !== undefined) fc.configureGlobal({ seed: firstSeed, endOnFailure: true });

/**
 * The disk does not hold what was made durable on it: the metadata lost something or was changed.
 * Going on would be guessing: a vote or a committed change may be among what is missing.
 */
export class DamagedMetadataError extends Error {
  override readonly name = 'DamagedMetadataError';

  /** @param what is wrong, such as `entry 17 is missing` */
  constructor(dataDirectory: string, what: string, options?: ErrorOptions) {
    super(
      `the metadata in ${dataDirectory} is damaged: ${what}; nothing was changed: put back a copy of the ` +
        'whole data directory, or keep it aside and start this node with an empty one',
      options,
    );
  }
}

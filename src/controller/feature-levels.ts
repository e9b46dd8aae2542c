import {
  FENCING_LEVEL,
  includesLevel,
  METADATA_VERSION,
  rangeOf,
  supportedFeatures,
} from '../metadata/features.ts';
import { type MetadataImage, metadataVersion } from '../metadata/image.ts';
import type { FeatureLevelRecord, FeatureRange } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import type { ChangePlan } from './change-plan.ts';
import { type Refusal, refuse, repeatedNames } from './refusal.ts';

/** A level of a feature that the cluster is to use. */
export interface FeatureUpdate {
  readonly name: string;
  readonly level: number;
}

export interface UpdatedFeature {
  readonly name: string;
  readonly error?: Refusal;
}

/**
 * Plans new levels of features (KIP-584). Each has to be known to this controller and to every broker
 * that is registered, also to those that are stopped: they would not get back in. No level is lowered:
 * the metadata may hold what the lower one cannot say.
 */
export function updateFeatures(
  plan: ChangePlan,
  updates: readonly FeatureUpdate[],
): UpdatedFeature[] {
  const repeated = repeatedNames(updates);
  return updates.map(({ name, level }) => {
    const error = repeated.has(name)
      ? refuse('INVALID_REQUEST', `feature ${JSON.stringify(name)} stands twice in the request`)
      : updateFeature(plan, name, level);
    return error === null ? { name } : { name, error };
  });
}

function updateFeature(plan: ChangePlan, name: string, level: number): Refusal | null {
  const { image } = plan;
  const range = rangeOf(supportedFeatures, name);
  if (range === undefined) {
    const known = supportedFeatures.map((each) => each.name).join(', ');
    const detail = `there is no feature ${JSON.stringify(name.slice(0, 100))}; there is ${known}`;
    return refuse('INVALID_UPDATE_VERSION', detail);
  }
  if (!Number.isSafeInteger(level) || !includesLevel(range, level)) {
    const detail = `${name} cannot be at level ${level}, give from ${range.min} to ${range.max}`;
    return refuse('INVALID_UPDATE_VERSION', detail);
  }
  const current = levelsOf(image).get(name) ?? 0;
  if (level < current) {
    const detail = `${name} is at level ${current} and cannot go back to ${level}`;
    return refuse('INVALID_UPDATE_VERSION', detail);
  }
  if (level === current) return null;
  for (const { nodeId, features } of image.brokers.values()) {
    const supported = rangeOf(features, name);
    if (includesLevel(supported, level)) continue;
    const detail = `${shownSupport(nodeId, name, supported)}, so the cluster cannot go to level ${level}; update it, or unregister it`;
    return refuse('INVALID_UPDATE_VERSION', detail);
  }
  return plan.add([{ type: 'feature-level', name, level }]);
}

/**
 * The only broker of a cluster raises the metadata to the level at which brokers can say what they
 * support, as it registers. Below it there is no second one: what it supports would never be known.
 *
 * @throws ApiError UNSUPPORTED_VERSION for a second broker
 */
export function firstRaise(
  image: MetadataImage,
  nodeId: NodeId,
  features: readonly FeatureRange[],
): FeatureLevelRecord[] {
  if (metadataVersion(image) >= FENCING_LEVEL) return [];
  const other = [...image.brokers.keys()].find((id) => id !== nodeId);
  if (other !== undefined) {
    throw new ApiError(
      Errors.UNSUPPORTED_VERSION,
      `broker ${nodeId} cannot join yet: the metadata is of level 1, for one broker; start broker ${other} with this version first`,
    );
  }
  if (!includesLevel(rangeOf(features, METADATA_VERSION), FENCING_LEVEL)) return [];
  return [{ type: 'feature-level', name: METADATA_VERSION, level: FENCING_LEVEL }];
}

/** @throws ApiError UNSUPPORTED_VERSION if the broker cannot work with a level that counts */
export function checkFeatures(
  nodeId: NodeId,
  features: readonly FeatureRange[],
  levels: ReadonlyMap<string, number>,
): void {
  for (const [name, level] of levels) {
    const supported = rangeOf(features, name);
    if (includesLevel(supported, level)) continue;
    throw new ApiError(
      Errors.UNSUPPORTED_VERSION,
      `${shownSupport(nodeId, name, supported)}, the cluster uses level ${level}; start it with a version of varve that knows that`,
    );
  }
}

/** The levels that count, also of what nobody has ever raised. */
export const levelsOf = (image: MetadataImage): Map<string, number> =>
  new Map([[METADATA_VERSION, metadataVersion(image)], ...image.features]);

function shownSupport(nodeId: NodeId, name: string, range: FeatureRange | undefined): string {
  if (range === undefined) return `broker ${nodeId} does not know feature ${name}`;
  return `broker ${nodeId} supports levels ${range.min} to ${range.max} of ${name}`;
}

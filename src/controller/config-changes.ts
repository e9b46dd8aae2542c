import { type Refusal, refuse, repeatedNames } from './refusal.ts';
import { type ConfigTexts, shownKey, type TopicConfigRules } from './topic-configs.ts';

/**
 * One of Kafka's operations on a setting. `append` and `subtract` are for lists only: they add the items
 * that are not there yet, and take away those that are.
 */
export interface ConfigOperation {
  readonly key: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  /** Not looked at by `delete`; null is refused by the others. */
  readonly value: string | null;
}

/** A setting as a request has it; null is refused. */
export interface ConfigText {
  readonly key: string;
  readonly value: string | null;
}

/**
 * What is to become of the settings of one topic. Either some are set, and some put back to the
 * broker's default; or operations are done, each on another setting; or `replacement` are all there are
 * from now on.
 */
export type ConfigChanges = { readonly name: string } & (
  | { readonly set: ConfigTexts; readonly unset: readonly string[] }
  | { readonly operations: readonly ConfigOperation[] }
  | { readonly replacement: readonly ConfigText[] }
);

/** Values by key that a topic is to have; null for the broker's default. */
export type WantedConfigs = ReadonlyMap<string, string | null>;

/** What changes come to for a topic that has `configs`, or why one of them is not valid. */
export function wantedConfigs(
  changes: ConfigChanges,
  configs: ReadonlyMap<string, string>,
  rules: TopicConfigRules,
): WantedConfigs | Refusal {
  if ('operations' in changes) return operated(changes.operations, configs, rules);
  if ('replacement' in changes) return replaced(changes.replacement, configs, rules);
  return setAndUnset(changes.set, changes.unset, rules);
}

/** The settings of a new topic; null is refused as Kafka refuses it there. */
export function initialConfigs(
  configs: ConfigTexts | readonly ConfigText[],
  rules: TopicConfigRules,
): ReadonlyMap<string, string> | Refusal {
  if (!isList(configs)) return rules.normalize(configs);
  const empty = configs.find(({ value }) => value === null);
  if (empty !== undefined) {
    return refuse(
      'INVALID_CONFIG',
      `${shownKey(empty.key)} has no value, give one or leave it out`,
    );
  }
  const refusal = checkTexts(configs, []);
  if (refusal !== null) return refusal;
  const values = new Map<string, string>();
  for (const { key, value } of configs) {
    const result = rules.normalizeOne(key, value ?? '');
    if (typeof result !== 'string') return result;
    values.set(key, result);
  }
  return values;
}

const isList = (configs: ConfigTexts | readonly ConfigText[]): configs is readonly ConfigText[] =>
  Array.isArray(configs);

function setAndUnset(
  set: ConfigTexts,
  unset: readonly string[],
  rules: TopicConfigRules,
): WantedConfigs | Refusal {
  const values = rules.normalize(set);
  if ('row' in values) return values;
  const wanted = new Map<string, string | null>(values);
  for (const key of new Set(unset)) {
    const refusal = rules.checkKey(key);
    if (refusal !== null) return refusal;
    if (values.has(key)) {
      return refuse('INVALID_REQUEST', `${key}: the request both sets and unsets it`);
    }
    wanted.set(key, null);
  }
  return wanted;
}

function operated(
  operations: readonly ConfigOperation[],
  configs: ReadonlyMap<string, string>,
  rules: TopicConfigRules,
): WantedConfigs | Refusal {
  const refusal = checkTexts(
    operations,
    operations.filter(({ operation }) => operation !== 'delete'),
  );
  if (refusal !== null) return refusal;
  const wanted = new Map<string, string | null>();
  for (const operation of operations) {
    const { key } = operation;
    const result =
      operation.operation === 'delete'
        ? rules.checkKey(key)
        : afterOperation(operation, configs.get(key), rules);
    if (result !== null && typeof result !== 'string') return result;
    wanted.set(key, result);
  }
  return wanted;
}

function afterOperation(
  { key, operation, value }: ConfigOperation,
  own: string | undefined,
  rules: TopicConfigRules,
): string | Refusal {
  const text = value ?? '';
  if (operation === 'set') return rules.normalizeOne(key, text);
  const items = rules.itemsOf(key, own);
  if ('row' in items) return items;
  const given = text.split(',').map((item) => item.trim());
  const changed =
    operation === 'append'
      ? [...new Set([...items, ...given])]
      : items.filter((item) => !given.includes(item));
  return rules.normalizeOne(key, changed.join(','));
}

function replaced(
  replacement: readonly ConfigText[],
  configs: ReadonlyMap<string, string>,
  rules: TopicConfigRules,
): WantedConfigs | Refusal {
  const refusal = checkTexts(replacement, replacement);
  if (refusal !== null) return refusal;
  const wanted = new Map<string, string | null>();
  for (const key of configs.keys()) wanted.set(key, null);
  for (const { key, value } of replacement) {
    const result = rules.normalizeOne(key, value ?? '');
    if (typeof result !== 'string') return result;
    wanted.set(key, result);
  }
  return wanted;
}

/** No setting stands twice, and those that need a value have one. */
function checkTexts(all: readonly ConfigText[], valued: readonly ConfigText[]): Refusal | null {
  const [repeated] = repeatedNames(all.map(({ key: name }) => ({ name })));
  if (repeated !== undefined) {
    return refuse('INVALID_REQUEST', `${shownKey(repeated)} stands twice in the request`);
  }
  const empty = valued.find(({ value }) => value === null);
  if (empty === undefined) return null;
  return refuse('INVALID_REQUEST', `${shownKey(empty.key)} has no value, give one`);
}

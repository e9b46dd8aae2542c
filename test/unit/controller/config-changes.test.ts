import { expect, test } from 'vitest';
import { setting } from '../../../src/config/setting.ts';
import {
  type ConfigOperation,
  type ConfigText,
  initialConfigs,
  wantedConfigs,
} from '../../../src/controller/config-changes.ts';
import type { Refusal } from '../../../src/controller/refusal.ts';
import { TopicConfigRules } from '../../../src/controller/topic-configs.ts';
import { topicByName } from '../../../src/metadata/image.ts';
import { newTopic, started, told } from './started-controller.ts';

const rules = new TopicConfigRules({
  retentionMs: setting.ms({ key: 'retention.ms', default: 1000, min: -1, doc: '' }),
  policy: setting.list({
    key: 'cleanup.policy',
    default: ['delete'],
    values: ['delete', 'compact', 'keep'],
    min: 1,
    doc: '',
  }),
});

type Operation = ConfigOperation['operation'];
const op = (operation: Operation, key: string, value: string | null = null): ConfigOperation => ({
  ...{ operation, key, value },
});

/** What a topic with `own` settings is to have after the operations, or why not. */
function operate(own: { [key: string]: string }, ...operations: ConfigOperation[]) {
  const configs = new Map(Object.entries(own));
  const wanted = wantedConfigs({ name: 't', operations }, configs, rules);
  return 'row' in wanted ? `${wanted.row.name}: ${wanted.detail}` : Object.fromEntries(wanted);
}

test('settings are set and deleted, and no others are touched', () => {
  expect(operate({ 'retention.ms': '5' }, op('set', 'cleanup.policy', ' compact '))).toEqual({
    'cleanup.policy': 'compact',
  });
  expect(operate({}, op('delete', 'retention.ms', 'whatever'))).toEqual({ 'retention.ms': null });
  expect(operate({})).toEqual({});
});

test('items are appended to a list, those of the default included, and none twice', () => {
  const append = (own: { [key: string]: string }, value: string) =>
    operate(own, op('append', 'cleanup.policy', value));
  expect(append({}, 'compact')).toEqual({ 'cleanup.policy': 'delete,compact' });
  expect(append({ 'cleanup.policy': 'keep' }, 'compact, keep,compact')).toEqual({
    'cleanup.policy': 'keep,compact',
  });
  expect(append({}, 'burn')).toContain(
    'INVALID_CONFIG: cleanup.policy: "delete,burn" is not valid',
  );
  expect(append({}, '')).toContain('INVALID_CONFIG');
});

test('items are subtracted from a list, as far as they are in it', () => {
  const subtract = (own: { [key: string]: string }, value: string) =>
    operate(own, op('subtract', 'cleanup.policy', value));
  expect(subtract({ 'cleanup.policy': 'delete,keep,compact' }, 'compact, delete')).toEqual({
    'cleanup.policy': 'keep',
  });
  expect(subtract({}, 'keep')).toEqual({ 'cleanup.policy': 'delete' });
  expect(subtract({}, 'delete')).toContain('INVALID_CONFIG: cleanup.policy: "" is not valid');
});

test('only lists are appended to and subtracted from', () => {
  const notAList =
    'INVALID_CONFIG: retention.ms is not a list, so nothing can be appended to it or subtracted from it';
  expect(operate({}, op('append', 'retention.ms', '5'))).toBe(notAList);
  expect(operate({}, op('subtract', 'retention.ms', '5'))).toBe(notAList);
});

test.for(['set', 'delete', 'append', 'subtract'] as const)(
  '%s of a setting that there is not is refused by name',
  (operation) => {
    expect(operate({}, op(operation, 'retention.mm', '5'))).toBe(
      'INVALID_CONFIG: "retention.mm": a topic has no such setting, did you mean retention.ms',
    );
    expect(operate({}, op(operation, '__proto__', '5'))).toContain('INVALID_CONFIG: "__proto__"');
  },
);

test('a setting stands once in a request, and has a value where it needs one', () => {
  const twice = 'INVALID_REQUEST: "retention.ms" stands twice in the request';
  expect(operate({}, op('set', 'retention.ms', '5'), op('delete', 'retention.ms'))).toBe(twice);
  for (const operation of ['set', 'append', 'subtract'] as const) {
    expect(operate({}, op(operation, 'cleanup.policy'))).toBe(
      'INVALID_REQUEST: "cleanup.policy" has no value, give one',
    );
  }
});

test('a replacement puts back all that it does not name', () => {
  const configs = new Map([
    ['retention.ms', '5'],
    ['cleanup.policy', 'keep'],
  ]);
  const replace = (...replacement: { key: string; value: string | null }[]) => {
    const wanted = wantedConfigs({ name: 't', replacement }, configs, rules);
    return 'row' in wanted ? wanted.row.name : Object.fromEntries(wanted);
  };
  expect(replace({ key: 'retention.ms', value: '1s' })).toEqual({
    'retention.ms': '1000',
    'cleanup.policy': null,
  });
  expect(replace()).toEqual({ 'retention.ms': null, 'cleanup.policy': null });
  expect(replace({ key: 'retention.mm', value: '5' })).toBe('INVALID_CONFIG');
  expect(replace({ key: 'retention.ms', value: 'soon' })).toBe('INVALID_CONFIG');
  expect(replace({ key: 'retention.ms', value: null })).toBe('INVALID_REQUEST');
  const one = { key: 'retention.ms', value: '1' };
  expect(replace(one, one)).toBe('INVALID_REQUEST');
});

test('a new topic has the settings of its request, as texts by key or in a list', async () => {
  const listed = initialConfigs([{ key: 'retention.ms', value: '1s' }], rules);
  expect(listed).toEqual(new Map([['retention.ms', '1000']]));
  expect(initialConfigs({ 'retention.ms': '1s' }, rules)).toEqual(listed);
  const one = { key: 'retention.ms', value: '1' };
  const refused = (...configs: ConfigText[]) =>
    (initialConfigs(configs, rules) as Refusal).row.name;
  expect(refused({ key: 'retention.ms', value: null })).toBe('INVALID_CONFIG');
  expect(refused({ key: 'retention.mm', value: '1' })).toBe('INVALID_CONFIG');
  expect(refused({ key: 'retention.ms', value: 'soon' })).toBe('INVALID_CONFIG');
  expect(refused(one, one)).toBe('INVALID_REQUEST');
  const { controller } = await started();
  await controller.createTopics([newTopic('a', { configs: [one] })]);
  expect(topicByName(controller.image, 'a')!.configs).toEqual(new Map([['retention.ms', '1']]));
});

test('operations and replacements change the topic, or with a fault nothing at all', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('a', { configs: { 'retention.ms': '7' } })]);
  const configs = () => Object.fromEntries(topicByName(controller.image, 'a')!.configs);
  const alter = async (changes: { operations: ConfigOperation[] } | { replacement: [] }) =>
    told(await controller.alterTopicConfigs([{ name: 'a', ...changes }]))[0];
  const two = op('set', 'min.insync.replicas', '2');
  expect(await alter({ operations: [two, op('set', 'retention.ms', 'soon')] })).toContain(
    'a INVALID_CONFIG: retention.ms: "soon" is not valid',
  );
  expect(configs()).toEqual({ 'retention.ms': '7' });
  expect(await alter({ operations: [two, op('delete', 'retention.ms')] })).toBe('a ok');
  expect(configs()).toEqual({ 'min.insync.replicas': '2' });
  const before = controller.image;
  await alter({ operations: [two, op('delete', 'retention.ms')] });
  expect(controller.image).toBe(before);
  expect(await alter({ replacement: [] })).toBe('a ok');
  expect(configs()).toEqual({});
});

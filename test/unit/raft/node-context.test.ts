import { expect, test } from 'vitest';
import type { Configuration } from '../../../src/raft/configuration.ts';
import { MAX_EPOCH } from '../../../src/raft/messages.ts';
import { NodeContext } from '../../../src/raft/node-context.ts';
import { DEFAULT_RAFT_CONFIG } from '../../../src/raft/raft-config.ts';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, e, entriesOf, votersOf } from '../../support/driven-raft-node.ts';

const three: Configuration = { voters: votersOf(3), learners: [] };

function contextOf(
  configuration: Configuration,
  epoch = 1,
  self = memberOf(1),
  chance = 0,
): NodeContext {
  const stored = {
    hardState: { epoch: e(epoch), votedFor: null },
    snapshot: { last: at(0, 0), configuration, configurationIndex: 0 },
    entries: entriesOf(1, 1),
  };
  return new NodeContext(self, DEFAULT_RAFT_CONFIG, stored, () => chance);
}

test('election timeouts lie between the shortest and twice that (paper 5.2)', () => {
  expect(contextOf(three).drawElectionTicks()).toBe(10);
  expect(contextOf(three, 1, memberOf(1), 0.999).drawElectionTicks()).toBe(19);
});

test('voters may campaign; learners, strangers, and those that lost their memory may not', () => {
  expect(contextOf(three).mayCampaign).toBe(true);
  expect(contextOf(three, 1, memberOf(4)).mayCampaign).toBe(false);
  expect(contextOf({ ...three, learners: [memberOf(4)] }, 1, memberOf(4)).mayCampaign).toBe(false);
  const impostor = contextOf(three, 1, memberOf(1, 'other'));
  expect([impostor.mayCampaign, impostor.isImpostor]).toEqual([false, true]);
  expect(contextOf(three, MAX_EPOCH).mayCampaign).toBe(false);
});

test('one whose removal is not known to be committed may campaign (thesis 4.2.2)', () => {
  const context = contextOf(three);
  const configuration = { voters: [memberOf(2), memberOf(3)], learners: [] };
  context.log.append([{ kind: 'configuration', ...at(3, 1), configuration }]);
  expect(context.mayCampaign).toBe(true);
  context.commitTo(3);
  expect(context.mayCampaign).toBe(false);
});

test('an epoch does not fall and a vote is not taken back', () => {
  const context = contextOf(three, 5);
  context.setHardState(e(5), memberOf(2));
  expect(() => context.setHardState(e(5), memberOf(3))).toThrow('votes once');
  expect(() => context.setHardState(e(4), null)).toThrow('does not fall');
  context.setHardState(e(6), null);
  expect([context.epoch, context.votedFor]).toEqual([6, null]);
});

test('what is committed does not fall, and is in the log', () => {
  const context = contextOf(three);
  context.commitTo(2);
  context.commitTo(1);
  expect(context.commitIndex).toBe(2);
  expect(() => context.commitTo(3)).toThrow('is in the log');
});

test('a hard state that is behind the log is no stored state', () => {
  expect(() => contextOf(three, 0)).toThrow('not behind the log');
});

test('each entry is handed over once, when it is committed and durable', () => {
  const context = contextOf(three);
  context.commitTo(1);
  expect(context.takeEffects()).toMatchObject([{ kind: 'apply', entries: [at(1, 1)] }]);
  expect(context.takeEffects()).toEqual([]);
  context.commitTo(2);
  expect(context.takeEffects()).toMatchObject([{ kind: 'apply', entries: [at(2, 1)] }]);
});

test('an answer that waits for the disk does not leave in another epoch', () => {
  const context = contextOf(three);
  context.setHardState(e(2), null);
  context.sendWhenPersisted(memberOf(2), { kind: 'timeout-now', epoch: e(2) });
  context.takeEffects();
  context.setHardState(e(3), null);
  context.writes.persisted(1);
  expect(context.takeEffects().filter(({ kind }) => kind === 'send')).toEqual([]);
});

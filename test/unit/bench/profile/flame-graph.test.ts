import { expect, test } from 'vitest';
import { escapeMarkup } from '../../../../bench/markup.ts';
import { activityOf, wholeOf } from '../../../../bench/profile/cpu-profile.ts';
import { renderFlameGraph } from '../../../../bench/profile/flame-graph.ts';
import { renderTimes } from '../../../../bench/profile/time-table.ts';
import { profile } from './profiles.ts';

const activity = activityOf(profile, [wholeOf(profile)], '/repo/');

test('a frame is as wide as its share of the busy time and as deep as its callers', () => {
  const page = renderFlameGraph('a <broker>', activity);
  expect(page).toContain('a &lt;broker&gt;: busy 0.01 s of 0.01 s');
  const boxes = [
    ...page.matchAll(/<i class="(\w+)" style="left:(.+?)%;width:(.+?)%;top:(\d+)px"/g),
  ];
  expect(boxes.map(([, kind, left, width, top]) => [kind, left, width, top])).toEqual([
    ['node', '0.000', '80.000', '0'],
    ['own', '0.000', '80.000', '18'],
    ['own', '0.000', '40.000', '36'],
    ['own', '0.000', '20.000', '54'],
    ['node', '80.000', '20.000', '0'],
  ]);
});

test('a page loads nothing', () => {
  expect(renderFlameGraph('x', activity)).not.toMatch(/\b(?:src|href)=|https?:/);
});

test('names cannot break out of their element', () => {
  expect(escapeMarkup('<a "b" & c>')).toBe('&lt;a &quot;b&quot; &amp; c&gt;');
});

test('the table has the functions by their own time and by their total', () => {
  expect(renderTimes(activity, 1).split('\n')).toEqual([
    'busy 83.3 % of 0.0 s; of that, garbage collector 20.0 %',
    '',
    'most time in the function itself',
    '    self    total  function',
    '  40.0 %   80.0 %  (anonymous)  src/cli/main.ts:10',
    '',
    'most time with all it called',
    '    self    total  function',
    '  40.0 %   80.0 %  (anonymous)  src/cli/main.ts:10',
  ]);
});

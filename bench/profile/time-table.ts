import { type Activity, type FunctionTime, functionTimes } from './cpu-profile.ts';

/** The functions that took most time as text, by their own time and with all they called. */
export function renderTimes({ root, gcUs, idleUs }: Activity, rows: number): string {
  const busyUs = root.totalUs + gcUs;
  const times = functionTimes(root);
  const top = (key: 'selfUs' | 'totalUs') =>
    times
      .toSorted((a, b) => b[key] - a[key])
      .slice(0, rows)
      .map((time) => line(time, busyUs));
  const header = '    self    total  function';
  return [
    `busy ${share(busyUs, busyUs + idleUs)} of ${((busyUs + idleUs) / 1e6).toFixed(1)} s; of that, garbage collector ${share(gcUs, busyUs)}`,
    '',
    'most time in the function itself',
    header,
    ...top('selfUs'),
    '',
    'most time with all it called',
    header,
    ...top('totalUs'),
  ].join('\n');
}

function line({ name, place, selfUs, totalUs }: FunctionTime, wholeUs: number): string {
  const columns = [selfUs, totalUs].map((us) => share(us, wholeUs).padStart(8));
  return `${columns.join(' ')}  ${`${name}  ${place}`.trimEnd()}`;
}

const share = (part: number, whole: number): string =>
  `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)} %`;

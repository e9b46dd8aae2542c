import { escapeMarkup } from '../markup.ts';
import type { Activity, Frame } from './cpu-profile.ts';

/**
 * A flame graph as one HTML page that loads nothing: callers above, callees below, as wide as the
 * time they took. A click on a frame makes it as wide as the page, Escape goes back, what is typed
 * marks the functions that match. Frames below `MIN_SHARE` are left out.
 */
export function renderFlameGraph(title: string, { root, gcUs, idleUs }: Activity): string {
  const frames: string[] = [];
  const busyUs = root.totalUs + gcUs;
  const draw = (frame: Frame, fromUs: number, depth: number): void => {
    if (frame.totalUs < busyUs * MIN_SHARE) return;
    frames.push(drawFrame(frame, { fromUs, depth, wholeUs: busyUs }));
    let at = fromUs;
    for (const child of frame.children.toSorted((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1);
      at += child.totalUs;
    }
  };
  draw({ ...root, name: 'all', place: '' }, 0, 0);
  const gc: Frame = {
    name: 'garbage collector',
    place: '',
    selfUs: gcUs,
    totalUs: gcUs,
    children: [],
  };
  draw(gc, root.totalUs, 0);
  const wall = seconds(busyUs + idleUs);
  const heading = `${title}: busy ${seconds(busyUs)} s of ${wall} s`;
  return `<!doctype html>
<meta charset="utf-8">
<title>${escapeMarkup(heading)}</title>
<style>${STYLE}</style>
<header><b>${escapeMarkup(heading)}</b> <input type="search" placeholder="mark functions"> <output></output></header>
<main>${frames.join('\n')}</main>
<script>${SCRIPT}</script>
`;
}

const MIN_SHARE = 0.0005;
const ROW_PX = 18;

function drawFrame(
  { name, place, selfUs, totalUs }: Frame,
  { fromUs, depth, wholeUs }: { fromUs: number; depth: number; wholeUs: number },
): string {
  const percent = (us: number) => (100 * us) / wholeUs;
  const about = `${name} ${place}\n${percent(totalUs).toFixed(2)} % (${seconds(totalUs)} s), itself ${percent(selfUs).toFixed(2)} %`;
  const where = `left:${percent(fromUs).toFixed(3)}%;width:${percent(totalUs).toFixed(3)}%;top:${depth * ROW_PX}px`;
  return `<i class="${kindOf(place)}" style="${where}" title="${escapeMarkup(about)}">${escapeMarkup(name)}</i>`;
}

/** Own code, packages and the engine have a colour each. */
function kindOf(place: string): string {
  if (place.startsWith('src/') || place.startsWith('bench/')) return 'own';
  if (place.startsWith('node:') || place === '') return 'node';
  return 'package';
}

const seconds = (us: number): string => (us / 1e6).toFixed(2);

const STYLE = `
:root { color-scheme: light dark; font: 12px/18px system-ui, sans-serif; }
body { margin: 8px; }
main { position: relative; margin-top: 8px; }
i { position: absolute; box-sizing: border-box; height: ${ROW_PX - 1}px; overflow: hidden; padding: 0 2px;
  font-style: normal; white-space: nowrap; cursor: pointer; color: #222; }
.own { background: #f4a259; } .package { background: #8cb4e0; } .node { background: #c4c4c4; }
.marked { outline: 2px solid #c2185b; outline-offset: -2px; }`;

const SCRIPT = `
const frames = [...document.querySelectorAll('i')].map((box) => ({
  box, left: parseFloat(box.style.left), width: parseFloat(box.style.width) }));
const show = ({ left, width }) => {
  for (const frame of frames) {
    const from = Math.max(frame.left, left), to = Math.min(frame.left + frame.width, left + width);
    frame.box.hidden = to - from < width / 2000;
    frame.box.style.display = frame.box.hidden ? 'none' : '';
    frame.box.style.left = (100 * (from - left)) / width + '%';
    frame.box.style.width = (100 * (to - from)) / width + '%';
  }
};
for (const frame of frames) frame.box.onclick = () => show(frame);
addEventListener('keydown', ({ key }) => { if (key === 'Escape') show({ left: 0, width: 100 }); });
document.querySelector('input').oninput = ({ target }) => {
  let count = 0;
  for (const { box } of frames) {
    const isMatch = target.value !== '' && box.title.split('\\n')[0].includes(target.value);
    box.classList.toggle('marked', isMatch);
    if (isMatch) count++;
  }
  document.querySelector('output').textContent = target.value === '' ? '' : count + ' frames';
};
const deepest = Math.max(...frames.map(({ box }) => parseFloat(box.style.top)));
document.querySelector('main').style.height = deepest + ${ROW_PX} + 'px';`;

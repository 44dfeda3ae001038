// What this node downloads now. The stream of events says how far each file is; what it is called is asked for many at once.
import { get } from './api.js';
import { button, el, say } from './dom.js';
import { openFile } from './file.js';
import { bytes, nameOf, plural, rate, short, span } from './format.js';
import { table } from './table.js';

const most = 50; // Rows; what is beyond is counted.
const window = 10_000; // Of the rate.
const underWay = new Map();
const names = new Map();
const summary = el('p', { class: 'note' });

const rows = table('Downloads under way at this node', [
  { title: 'Location', cell: (one, cell, row) => locationCell(cell, row) },
  { title: 'Progress', cell: progressCell },
  { title: 'Size', number: true, cell: one => bytes(one.size) },
  { title: 'Rate', number: true, cell: one => rate(rateOf(one)) },
  { title: 'Left', number: true, cell: leftCell },
  { title: 'From', cell: one => [...one.sources].join(', ') || 'nobody yet' },
], one => one.key);

export const downloads = {
  id: 'downloads',
  title: 'Downloads',
  wide: true,
  every: 1,
  element: el('div', {}, summary, rows.element),
  load,
  show,
};

const seen = (key, size) => {
  let one = underWay.get(key);
  if (!one) underWay.set(key, (one = { key, size, proven: 0, sources: new Set(), samples: [], since: performance.now() }));
  return one;
};

// One event of the node's stream.
export function hear(name, event) {
  if (name === 'state') {
    const keys = new Set(event.downloading.map(one => one.key));
    for (const key of underWay.keys()) if (!keys.has(key)) underWay.delete(key);
    event.downloading.forEach(progress);
  } else if (name === 'connected' || name === 'proven') {
    progress(event);
  } else if (name === 'sourceChanged') {
    const one = seen(event.key, event.size);
    if (event.source) one.sources.delete(event.source);
  } else {
    underWay.delete(event.key);
  }
}

function progress({ key, size, source, bytesProven }) {
  const one = seen(key, size);
  one.proven = bytesProven;
  one.samples.push([performance.now(), bytesProven]);
  while (one.samples.length > 2 && performance.now() - one.samples[1][0] > window) one.samples.shift();
  if (source) one.sources.add(source);
}

async function load() {
  const unknown = [...underWay.keys()].slice(0, most).filter(key => !names.has(key));
  if (unknown.length > 0) {
    const { files } = await get('v1/files?state=downloading&limit=200');
    for (const file of files) names.set(file.key, nameOf(file));
    for (const key of names.keys()) if (!underWay.has(key)) names.delete(key);
  }
  return [...underWay.values()];
}

function show(all) {
  rows.show(all.slice(0, most), 'Nothing is being downloaded here.');
  const total = all.reduce((sum, one) => sum + rateOf(one), 0);
  say(summary, all.length === 0 ? '' : `${plural(all.length, 'file')} at ${rate(total)} together.`);
  summary.hidden = all.length === 0;
}

function rateOf({ samples }) {
  if (samples.length < 2) return 0;
  const [first, last] = [samples[0], samples.at(-1)];
  return Math.max(0, (1000 * (last[1] - first[1])) / Math.max(1000, performance.now() - first[0]));
}

function leftCell(one) {
  const speed = rateOf(one);
  return speed > 0 ? span((one.size - one.proven) / speed) : '–';
}

function locationCell(cell, row) {
  const link = cell.firstChild ?? button('', () => openFile(row.item.key), { class: 'link' });
  say(link, names.get(row.item.key) ?? short(row.item.key));
  return link;
}

function progressCell(one, cell) {
  const bar = cell.firstChild?.firstChild ?? el('progress', { max: 1 });
  const part = one.size > 0 ? one.proven / one.size : 0;
  bar.value = part;
  bar.setAttribute('aria-label', `Progress of ${names.get(one.key) ?? one.key}`);
  const text = bar.nextSibling ?? el('small');
  say(text, `${Math.floor(part * 100)} %`);
  return bar.parentNode ?? el('span', { class: 'progress' }, bar, text);
}

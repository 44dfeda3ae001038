// What happened last at this node, the newest first.
import { badge, button, el, say, time } from './dom.js';
import { openFile } from './file.js';
import { clock, short } from './format.js';
import { table } from './table.js';

const most = 60;
const kept = [];
const tones = { done: 'good', failed: 'bad', damaged: 'bad', deferred: 'warn', sourceChanged: 'warn' };
let count = 0;

const rows = table('Last events', [
  { title: 'At', cell: event => time(event.at, clock(event.at)) },
  { title: 'Event', cell: event => badge(event.kind, tones[event.kind] ?? 'idle') },
  {
    title: 'File',
    cell: (event, cell, row) => {
      const link = cell.firstChild ?? button('', () => openFile(row.item.key), { class: 'link' });
      say(link, short(event.key));
      return link;
    },
  },
  { title: 'Source', cell: event => event.source ?? '' },
  { title: 'Reason', cell: event => event.reason ?? '' },
], event => event.number);

export const events = {
  id: 'events',
  title: 'Events',
  wide: true,
  every: 2,
  element: rows.element,
  load: async () => kept,
  show: all => rows.show(all, 'Nothing has happened since this page was opened.'),
};

// Progress is not news.
export function hear(name, event) {
  if (name === 'state' || name === 'proven') return;
  kept.unshift({ ...event, number: count++ });
  kept.length = Math.min(kept.length, most);
}

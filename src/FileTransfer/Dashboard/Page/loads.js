// Sets of files that this node is to have by a deadline.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el } from './dom.js';
import { bytes, number } from './format.js';
import { table } from './table.js';

const tones = { running: 'idle', stored: 'good', failed: 'bad' };

const rows = table('Loads of this node', [
  { title: 'Load', cell: one => one.name },
  { title: 'State', cell: one => badge(one.state, tones[one.state] ?? 'warn') },
  { title: 'Files', number: true, cell: one => `${number(one.stored)} of ${number(one.files)}` },
  { title: 'Bytes', number: true, cell: one => `${bytes(one.bytesProven)} of ${bytes(one.bytes)}` },
  { title: 'Round', number: true, cell: one => (one.rounds ? `${one.round} of ${one.rounds}` : number(one.round)) },
  { title: 'Says', cell: one => one.says },
  { title: 'Sources at fault', cell: one => one.sources.map(source => `${source.source}: ${number(source.faults)} (${bytes(source.wastedBytes)} wasted)`).join('; ') },
  { title: 'Do', cell: doCell },
], one => one.name);

function doCell(one, cell, row) {
  const end = cell.firstChild ?? actionButton('load-delete', () => ({ name: row.item.name }));
  end.hidden = one.state !== 'running';
  return end;
}

export const loads = {
  id: 'loads',
  title: 'Loads',
  wide: true,
  every: 10,
  live: true,
  element: el('div', {}, rows.element, el('p', { class: 'buttons' }, actionButton('load'), actionButton('adopt'))),
  load: () => get('v1/loads'),
  show: answer => rows.show(answer.loads, 'This node loads nothing.'),
};

// Shares that this node writes itself.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, time } from './dom.js';
import { age, bytes, number } from './format.js';
import { table } from './table.js';

const tones = { running: 'idle', done: 'good', failed: 'bad' };

const rows = table('Exports of this node since it started', [
  { title: 'Export', cell: one => one.name },
  { title: 'State', cell: one => badge(one.state, tones[one.state] ?? 'warn') },
  { title: 'Files', number: true, cell: one => number(one.files) },
  { title: 'Bytes', number: true, cell: one => `${bytes(one.bytesDone)} of ${bytes(one.bytes)}` },
  { title: 'Begun', cell: one => time(one.begunAt, `${age(one.begunAt)} ago`) },
  { title: 'Reason', cell: one => one.reason ?? '' },
  { title: 'Do', cell: doCell },
], one => one.name);

function doCell(one, cell, row) {
  const end = cell.firstChild ?? actionButton('export-end', () => ({ name: row.item.name }));
  end.hidden = one.state !== 'running';
  return end;
}

export const exports = {
  id: 'exports',
  title: 'Exports',
  wide: true,
  every: 10,
  element: el('div', {}, rows.element, el('p', { class: 'buttons' }, actionButton('export'))),
  load: () => get('v1/exports'),
  show: answer => rows.show(answer.exports, 'This node has written no share since it started.'),
};

// What a person has paused at this node.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { el, time } from './dom.js';
import { age, short } from './format.js';
import { table } from './table.js';

const rows = table('What is paused at this node', [
  { title: 'Paused', cell: one => (one.key ? `file ${short(one.key)}` : one.bucket ? `bucket ${short(one.bucket)}` : 'every download') },
  { title: 'Until', cell: one => (one.until ? time(one.until, new Date(one.until).toLocaleString()) : 'it is resumed') },
  { title: 'By', cell: one => one.by ?? '' },
  { title: 'Since', cell: one => time(one.pausedAt, age(one.pausedAt)) },
  { title: 'Do', cell: (one, cell, row) => cell.firstChild ?? actionButton('resume', () => row.item) },
], one => `${one.bucket} ${one.key}`);

export const steering = {
  id: 'steering',
  title: 'Steering',
  every: 15,
  live: true,
  element: el('div', {}, rows.element, el('p', { class: 'buttons' }, ...['pause', 'handover', 'drain'].map(id => actionButton(id)))),
  load: () => get('v1/downloads/pauses'),
  show: answer => rows.show(answer.pauses, 'Nothing is paused here.'),
};

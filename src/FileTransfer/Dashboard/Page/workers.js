// What this node does by itself.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, time } from './dom.js';
import { age, clock, number, span } from './format.js';
import { table } from './table.js';

const tones = { working: 'good', paused: 'warn' };

const rows = table('What this node does by itself', [
  { title: 'Worker', cell: one => el('span', {}, one.name, el('small', {}, one.progress ?? one.about)) },
  { title: 'State', cell: one => badge(one.pausedUntil ? `paused until ${clock(one.pausedUntil)}` : one.state, tones[one.pausedUntil ? 'paused' : one.state] ?? 'idle') },
  { title: 'Since', cell: one => (one.since ? time(one.since, age(one.since)) : '') },
  { title: 'Rounds', number: true, cell: one => number(one.rounds) },
  { title: 'Pace', number: true, cell: one => (one.paceSeconds === null ? '' : span(one.paceSeconds)) },
  { title: 'Last error', cell: one => (one.lastError ? `${one.lastError} (${age(one.lastErrorAt)} ago)` : '') },
  { title: 'Do', cell: doCell },
], one => one.name);

export const workers = {
  id: 'workers',
  title: 'Workers',
  wide: true,
  every: 15,
  element: rows.element,
  load: () => get('v1/workers'),
  show: answer => rows.show(answer.workers, 'It does nothing by itself yet.'),
};

function doCell(one, cell, row) {
  const given = () => ({ worker: row.item.name });
  const buttons = cell.firstChild ?? el('p', { class: 'buttons' }, ...['worker-pause', 'worker-resume', 'worker-set'].map(id => actionButton(id, given)));
  buttons.children[0].hidden = one.pausedUntil !== null;
  buttons.children[1].hidden = one.pausedUntil === null;
  buttons.children[2].hidden = one.paceSeconds === null;
  return buttons;
}

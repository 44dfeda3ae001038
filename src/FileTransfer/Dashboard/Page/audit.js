// Who changed something in the cluster, or was refused, the newest first.
import { get } from './api.js';
import { badge, button, el, time } from './dom.js';
import { age } from './format.js';
import { table } from './table.js';

const atOnce = 30;
const most = 300;
let wanted = atOnce;

const rows = table('Requests that changed something, or were refused', [
  { title: 'When', cell: entry => time(entry.at, `${age(entry.at)} ago`) },
  { title: 'Who', cell: entry => entry.who ?? 'no valid token' },
  { title: 'What', cell: entry => entry.times > 1 ? `${entry.action} (${entry.times} times)` : entry.action },
  { title: 'Target', cell: entry => entry.target },
  { title: 'Outcome', cell: entry => badge(entry.problem ?? (entry.status < 400 ? 'done' : `status ${entry.status}`), entry.status < 400 ? 'good' : 'bad') },
  { title: 'Node', cell: entry => entry.node },
  { title: 'From', cell: entry => entry.address ?? '' },
], entry => entry.id);
const more = el('p', { class: 'buttons', hidden: true }, button('Show older ones', async () => {
  wanted = Math.min(most, wanted + 3 * atOnce);
  audit.show(await audit.load());
}));

export const audit = {
  id: 'audit',
  title: 'Audit log',
  wide: true,
  every: 30,
  element: el('div', {}, rows.element, more),
  load: () => get(`v1/audit?limit=${wanted}`),
  show: ({ entries, next }) => {
    rows.show(entries, 'Nobody has changed anything yet.');
    more.hidden = next === null || wanted === most;
  },
};

// Whose keys count: what signs a request is let in as a node.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, time } from './dom.js';
import { age } from './format.js';
import { table } from './table.js';

const tones = { trusted: 'good', revoked: 'idle', conflict: 'bad' };
const origins = { stored: 'a person', settings: 'the settings', member: 'its row of the database' };

const rows = table('Trusted nodes', [
  { title: 'Node', cell: one => one.node },
  { title: 'Cluster', cell: one => one.cluster ?? 'any' },
  { title: 'State', cell: one => badge(one.state, tones[one.state]) },
  { title: 'Public keys', cell: one => one.publicKeys.map(key => `…${key.slice(-12)}`).join(', ') },
  { title: 'Listed by', cell: one => (one.changedAt ? time(one.changedAt, `${one.changedBy}, ${age(one.changedAt)} ago`) : origins[one.origin]) },
  { title: 'Do', cell: (one, cell, row) => cell.firstChild ?? actionButton('trust-remove', () => ({ node: row.item.node, cluster: row.item.cluster ?? undefined })) },
], one => `${one.node} ${one.cluster} ${one.origin} ${one.publicKeys[0]}`);

export const trust = {
  id: 'trust',
  title: 'Trust',
  wide: true,
  every: 60,
  element: el('div', {}, el('p', { class: 'buttons' }, actionButton('trust-add', () => ({}))), rows.element),
  load: () => get('v1/trust'),
  show: answer => rows.show(answer.trust, 'None is listed, and no node of this cluster has said its key.'),
};

// Nodes of other clusters that have announced themselves here: who is alive, why the others are not, and who is trusted.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, time } from './dom.js';
import { age } from './format.js';
import { table } from './table.js';

const tones = { alive: 'good', suspect: 'warn', dead: 'bad', expired: 'bad', unknown: 'idle' };

const rows = table('Nodes of other clusters', [
  { title: 'Node', cell: one => `${one.cluster}/${one.node}` },
  { title: 'State', cell: one => badge(one.status, tones[one.status]) },
  { title: 'Why', cell: one => one.reason },
  { title: 'Since', cell: one => time(one.since, `${age(one.since)} ago`) },
  { title: 'Trust', cell: one => (one.trusted ? badge('trusted', 'good') : badge('not trusted', 'idle')) },
  { title: 'Address', cell: one => one.url },
  { title: 'Public key', cell: one => `…${one.publicKey.slice(-12)}` },
  { title: 'Do', cell: doCell },
], one => `${one.cluster}/${one.node} ${one.publicKey}`);

function doCell(one, cell, row) {
  const given = () => ({ node: row.item.node, cluster: row.item.cluster, publicKey: row.item.publicKey });
  const buttons = cell.firstChild ?? el('p', { class: 'buttons' }, ...['trust-add', 'trust-remove'].map(id => actionButton(id, given)));
  buttons.children[0].hidden = one.trusted;
  buttons.children[1].hidden = !one.trusted;
  return buttons;
}

export const peers = {
  id: 'peers',
  title: 'Peers',
  wide: true,
  every: 15,
  element: rows.element,
  load: () => get('v1/peers'),
  show: answer => rows.show(answer.peers, 'No node of another cluster has announced itself here.'),
};

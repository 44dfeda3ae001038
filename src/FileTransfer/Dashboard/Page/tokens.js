// The tokens that were made at run time. One that has just been made is shown until it is taken.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { button, el, say, time } from './dom.js';
import { age } from './format.js';
import { table } from './table.js';

const made = el('code', { tabindex: 0 });
const once = el('p', { class: 'note', role: 'status', hidden: true }, 'Shown this once: ', made, ' ', button('I have it', () => take('')));

const rows = table('Tokens made at run time', [
  { title: 'Name', cell: one => one.name },
  { title: 'Scopes', cell: one => one.scopes.join(', ') },
  { title: 'Buckets', cell: one => (one.buckets.length === 0 ? 'all' : one.buckets.join(', ')) },
  { title: 'Owners', cell: one => (one.owners.length === 0 ? 'all' : one.owners.join(', ')) },
  { title: 'Made', cell: one => time(one.createdAt, `${age(one.createdAt)} ago by ${one.createdBy}`) },
  { title: 'Valid until', cell: one => (one.notAfter ? time(one.notAfter, new Date(one.notAfter).toLocaleString()) : 'revoked') },
  { title: 'Last used', cell: one => (one.lastUsedAt ? time(one.lastUsedAt, `${age(one.lastUsedAt)} ago`) : 'never') },
  { title: 'Do', cell: (one, cell, row) => cell.firstChild ?? actionButton('token-revoke', () => ({ name: row.item.name })) },
], one => one.name);

export const tokens = {
  id: 'tokens',
  title: 'Tokens',
  wide: true,
  every: 60,
  element: el('div', {}, el('p', { class: 'buttons' }, actionButton('token-create')), once, rows.element),
  load: () => get('v1/tokens'),
  show: answer => rows.show(answer.tokens, 'None was made; those of the configuration are not listed here.'),
};

document.addEventListener('token-made', event => take(event.detail.token));

function take(text) {
  say(made, text);
  once.hidden = text === '';
}

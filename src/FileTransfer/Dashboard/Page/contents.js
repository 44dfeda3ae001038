// Whether what lies on this node's disk is still what it was, and what lies there for nobody.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { el, say, time } from './dom.js';
import { age, bytes, number, plural, short } from './format.js';
import { table } from './table.js';

const pass = el('p');
const last = el('p', { class: 'note' });
const cancel = actionButton('scrub-cancel');
const damage = table('Damaged contents that are not back yet', [
  { title: 'Content', cell: one => short(one.fingerprint) },
  { title: 'Reason', cell: one => one.reason },
  { title: 'Kept as', cell: one => `quarantine/${one.kept}` },
  { title: 'Since', cell: one => time(one.at, age(one.at)) },
], one => one.kept);

export const scrub = {
  id: 'scrub',
  title: 'Scrub',
  every: 15,
  live: true,
  element: el('div', {}, pass, last, damage.element, el('p', { class: 'buttons' }, actionButton('scrub'), cancel)),
  load: () => get('v1/scrub'),
  show: answer => {
    say(pass, answer.pass ? passText(answer.pass) : `Idle${answer.nextAt ? `; the next pass begins ${new Date(answer.nextAt).toLocaleString()}` : ''}.`);
    say(last, answer.last ? `Last pass: ${endText(answer.last)}` : 'No pass has been completed yet.');
    cancel.hidden = !answer.pass;
    damage.show(answer.damage, 'No content is known to be damaged.');
  },
};

function passText(one) {
  const part = one.totalBytes > 0 ? Math.min(100, Math.floor((100 * one.bytes) / one.totalBytes)) : 100;
  return `${part} % verified: ${bytes(one.bytes)} of ${bytes(one.totalBytes)}, since ${age(one.startedAt)}; ${number(one.damaged)} damaged.`;
}

function endText(one) {
  return `${plural(one.contents, 'content')}, ${bytes(one.bytes)}, ended ${age(one.endedAt)} ago; ${number(one.damaged)} damaged, ${number(one.mended)} mended.`;
}

const says = el('p');
const discard = el('p', { class: 'buttons' }, actionButton('orphans-discard'));
const orphanRows = table('Contents that no file refers to', [
  { title: 'Of', cell: one => one.files.map(file => file.location ?? short(file.key)).join(', ') || 'no file that is remembered' },
  { title: 'Size', number: true, cell: one => bytes(one.size) },
  { title: 'Seen first', cell: one => time(one.firstSeen, `${age(one.firstSeen)} ago`) },
  { title: 'Remark', cell: one => (one.unexplained ? 'the catalog has never heard of it' : one.due ? 'due' : '') },
], one => one.fingerprint);

export const orphans = {
  id: 'orphans',
  title: 'Orphans',
  every: 60,
  element: el('div', {}, says, orphanRows.element, discard),
  load: () => get('v1/orphans'),
  show: answer => {
    const held = answer.heldBecause ? ` Nothing is collected since ${age(answer.heldSince)}: ${answer.heldBecause}.` : '';
    say(says, answer.count === 0 && held === '' ? '' : `${plural(answer.count, 'content')}, ${bytes(answer.bytes)}.${held} ${answer.waitsBecause ?? ''}`);
    discard.hidden = answer.count === 0 && held === '';
    orphanRows.show(answer.orphans.slice(0, 50), 'Every content here belongs to a file.');
  },
};

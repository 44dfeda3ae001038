// The buckets, what this node wants of each, and what it lacks.
import { actionButton } from './actions.js';
import { firstLines, get } from './api.js';
import { button, el, note, time } from './dom.js';
import { openFile } from './file.js';
import { searchBucket } from './files.js';
import { age, bytes, nameOf, number, short } from './format.js';
import { table } from './table.js';

const most = 100; // Lines that are shown of what is missing, which may be very long.

const rows = table('Buckets, and what this node wants of them', [
  { title: 'Bucket', cell: (one, cell, row) => cell.firstChild ?? button(short(one.bucket), () => searchBucket(row.item.bucket), { class: 'link', title: one.bucket }) },
  { title: 'Wants', cell: wantsCell },
  { title: 'Quota', cell: one => quotaText(one.quota) },
  { title: 'Changed', cell: one => (one.changedAt ? time(one.changedAt, `${age(one.changedAt)} ago`) : '') },
  { title: 'Do', cell: (one, cell, row) => doCell(one, cell, row) },
], one => one.bucket);

export const buckets = {
  id: 'buckets',
  title: 'Buckets',
  wide: true,
  every: 30,
  live: true,
  element: el('div', {}, rows.element, el('p', { class: 'buttons' }, actionButton('policy-set'))),
  load,
  show: answer => rows.show(answer.buckets, 'There is no file yet, so there is no bucket.'),
};

async function load() {
  const [answer, { quotas }] = await Promise.all([get('v1/buckets'), get('v1/quotas')]);
  const ofBucket = new Map(quotas.map(quota => [quota.bucket, quota]));
  return { ...answer, buckets: answer.buckets.map(one => ({ ...one, quota: ofBucket.get(one.bucket) })) };
}

function quotaText(quota) {
  if (!quota) return 'none';
  const parts = [];
  if (quota.bytes !== null) parts.push(`${bytes(quota.usedBytes)} of ${bytes(quota.bytes)}`);
  if (quota.files !== null) parts.push(`${number(quota.usedFiles)} of ${number(quota.files)} files`);
  return `${parts.join(', ')}${quota.exceeded ? ': exceeded' : ''}`;
}

function wantsCell(one) {
  if (one.filters.length === 0) return one.kind === 'everything-except' ? 'everything' : 'nothing';
  const text = `${one.kind === 'everything-except' ? 'everything except' : 'nothing except'} ${one.filters.join(', ')}`;
  return one.pending ? `${text}; being applied, ${number(one.reviewed)} files so far` : text;
}

function doCell(one, cell, row) {
  const buttons = cell.firstChild ?? el('p', { class: 'buttons' },
    button('Missing', () => showMissing(row.item.bucket)),
    actionButton('policy-set', () => row.item),
    actionButton('quota-set', () => ({ bucket: row.item.bucket, quota: row.item.quota })),
    ...['quota-remove', 'bucket-priority', 'copies-set', 'copies-delete', 'policy-delete'].map(id => actionButton(id, () => ({ bucket: row.item.bucket }))));
  buttons.lastChild.hidden = one.changedAt === null;
  return buttons;
}

// What this node wants of the bucket and does not have.
function showMissing(bucket) {
  const heading = el('h2', { id: 'missing-title' }, `Missing here of ${short(bucket)}`);
  const says = el('p', { class: 'note', role: 'status' }, 'Looking…');
  const missing = table('Missing files', [
    { title: 'Location', cell: (file, cell) => cell.firstChild ?? button(nameOf(file), () => openFile(file.key), { class: 'link' }) },
    { title: 'Size', number: true, cell: file => bytes(file.size) },
    { title: 'State', cell: file => file.state },
    { title: 'Others have it', number: true, cell: file => number(file.sources) },
    { title: 'Reason', cell: file => file.reason ?? '' },
  ], file => file.key);
  const dialog = el('dialog', { class: 'file', 'aria-labelledby': heading.id, close: () => dialog.remove() },
    heading, says, missing.element, el('p', { class: 'buttons' }, button('Close', () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
  firstLines(`v1/buckets/${bucket}/missing`, most).then(lines => {
    note(says, lines.length === most ? `The first ${most}:` : '');
    missing.show(lines, 'Nothing is missing here.');
  }, problem => note(says, problem.message, 'bad'));
}

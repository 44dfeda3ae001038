// The files of the cluster, by the beginning of their location.
import { actionButton } from './actions.js';
import { get, pathOf } from './api.js';
import { badge, button, el, say } from './dom.js';
import { openFile } from './file.js';
import { bytes, nameOf, short } from './format.js';
import { table } from './table.js';

const page = 50;
const states = ['', 'stored', 'wanted', 'downloading', 'failed', 'paused', 'removing'];
const isKey = text => /^(0x)?[0-9a-f]{64}$/i.test(text);

const location = el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' });
const bucket = el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', size: 12 });
const state = el('select', {}, ...states.map(one => el('option', { value: one }, one === '' ? 'in any state' : one)));
const more = button('More', () => search(true), { hidden: true });
let listed = [];
let next = null;

const rows = table('Files', [
  { title: 'Location', cell: (file, cell, row) => linkCell(file, cell, row) },
  { title: 'Bucket', cell: file => short(file.bucket) },
  { title: 'Size', number: true, cell: file => bytes(file.size) },
  { title: 'Here', cell: file => badge(file.state, file.state === 'stored' ? 'good' : file.state === 'failed' ? 'bad' : 'idle') },
  { title: 'Why not', cell: file => file.reason ?? (file.fileState === 'registered' ? 'the leader does not have its content yet' : '') },
], file => file.key);

const form = el('form', { class: 'search', role: 'search', submit },
  el('label', {}, 'Location begins with, or file key', location),
  el('label', {}, 'Bucket', bucket),
  el('label', {}, 'At this node', state),
  el('button', { type: 'submit' }, 'Search'),
  actionButton('put', () => ({ bucket: bucket.value })),
  actionButton('restore'));

export const files = {
  id: 'files',
  title: 'Files',
  wide: true,
  every: 30,
  element: el('div', {}, form, rows.element, el('p', { class: 'buttons' }, more)),
  load: () => (listed.length > page ? { files: listed, next } : ask()),
  show,
};

// Those of a bucket, for whoever asks from elsewhere on the page.
export function searchBucket(id) {
  location.value = '';
  bucket.value = id;
  state.value = '';
  form.requestSubmit();
  document.getElementById('files').scrollIntoView();
}

function ask(after) {
  const filters = { location: location.value, bucket: bucket.value, state: state.value, limit: page, after };
  return get(pathOf('v1/files', {}, filters));
}

function show(answer) {
  listed = answer.files;
  next = answer.next;
  rows.show(listed, 'No file of the cluster is like that.');
  more.hidden = next === null;
}

function submit(event) {
  event.preventDefault();
  if (isKey(location.value.trim())) openFile(location.value.trim());
  else search(false);
}

async function search(isMore) {
  const fault = document.querySelector('#files > .note');
  try {
    const answer = await ask(isMore ? next : undefined);
    show({ files: isMore ? [...listed, ...answer.files] : answer.files, next: answer.next });
    fault.hidden = true;
  } catch (problem) {
    say(fault, problem.message);
    fault.hidden = false;
  }
}

function linkCell(file, cell, row) {
  const link = cell.firstChild ?? button('', () => openFile(row.item.key), { class: 'link' });
  say(link, nameOf(file));
  return link;
}

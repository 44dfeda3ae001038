// Whom this cluster pulls from, and what else it may have: shown where the node knows of it.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el } from './dom.js';
import { age, number } from './format.js';
import { table } from './table.js';

const upstreamRows = table('Clusters that this one pulls from', [
  { title: 'Upstream', cell: one => one.name },
  { title: 'State', cell: one => (one.lastError ? badge('failing', 'bad') : one.inStep ? badge('in step', 'good') : badge('catching up', 'warn')) },
  { title: 'Behind', number: true, cell: one => number(one.bins.reduce((sum, bin) => sum + (bin.behind ?? 0), 0)) },
  { title: 'Files', number: true, cell: one => number(one.files) },
  { title: 'Lacking', number: true, cell: one => number(one.lacking) },
  { title: 'Kept', number: true, cell: one => number(one.kept) },
  { title: 'Last error', cell: one => (one.lastError ? `${one.lastError} (for ${age(one.failingSince)})` : '') },
  { title: 'Do', cell: doCell },
], one => one.name);

function doCell(one, cell, row) {
  const given = () => ({ upstream: row.item.name });
  const buttons = cell.firstChild ?? el('p', { class: 'buttons' },
    ...['sync-compare', 'sync-resync', 'sync-accept', 'sync-keep'].map(id => actionButton(id, given)));
  buttons.children[2].hidden = buttons.children[3].hidden = one.kept === 0;
  return buttons;
}

const elsewhere = el('p', { class: 'note' });

export const upstreams = {
  id: 'upstreams',
  title: 'Upstreams',
  wide: true,
  every: 15,
  element: el('div', {}, elsewhere, upstreamRows.element),
  load: () => get('v1/sync/status').catch(problem => (problem.slug === 'not-leader' ? problem.body : Promise.reject(problem))),
  show: answer => {
    upstreamRows.element.hidden = answer.upstreams === undefined;
    elsewhere.hidden = !upstreamRows.element.hidden;
    if (elsewhere.hidden) upstreamRows.show(answer.upstreams, 'This cluster pulls from no other.');
    else elsewhere.replaceChildren('Only the leader knows: ', answer.leaderUrl ? el('a', { href: answer.leaderUrl }, answer.leader) : 'and nobody leads now', '.');
  },
};

const folderRows = table('Folders that are watched', [
  { title: 'Folder', cell: one => one.name },
  { title: 'State', cell: one => (one.fault ? badge(one.fault, 'bad') : badge(one.listedAt ? 'watched here' : 'watched elsewhere', one.listedAt ? 'good' : 'idle')) },
  { title: 'Ingested', number: true, cell: one => number(one.ingested) },
  { title: 'Refused', number: true, cell: one => number(one.refused) },
  { title: 'Missing in its series', cell: one => one.series.filter(run => run.state !== 'FOUND').map(run => `${run.series} ${run.from}–${run.to}`).join(', ') },
  { title: 'Not taken', cell: one => one.files.filter(file => file.reason).map(file => `${file.name}: ${file.reason}`).join('; ') },
], one => one.name);

export const ingest = {
  id: 'ingest',
  title: 'Watch folders',
  every: 15,
  optional: true,
  element: folderRows.element,
  load: () => get('v1/ingest'),
  show: answer => folderRows.show(answer.folders, 'No folder is watched.'),
};

// A list as it comes: a column for each member that is not a list itself.
export function listing(id, title, path) {
  const place = el('div');
  let shown;
  let names = '';
  return {
    id,
    title,
    wide: true,
    every: 15,
    optional: true,
    element: place,
    load: () => get(path),
    show: answer => {
      const items = Array.isArray(answer) ? answer : Object.values(answer).find(Array.isArray) ?? [];
      const members = [...new Set(items.flatMap(item => Object.keys(item).filter(name => !Array.isArray(item[name]))))];
      if (!shown || members.join() !== names) {
        names = members.join();
        const columns = members.map(name => ({ title: wordsOf(name), cell: item => textOf(item[name]), number: items.every(item => typeof item[name] === 'number') }));
        shown = table(title, columns.length > 0 ? columns : [{ title, cell: () => '' }], item => JSON.stringify(item[members[0]]));
        place.replaceChildren(shown.element);
      }
      shown.show(items, 'There are none.');
    },
  };
}

function wordsOf(name) {
  const words = name.replace(/([A-Z])/g, letter => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
}

function textOf(value) {
  return value === null || value === undefined ? ''
    : typeof value === 'number' ? number(value)
    : typeof value === 'boolean' ? (value ? 'yes' : 'no')
    : typeof value === 'object' ? JSON.stringify(value)
    : /^\d{4}-\d\d-\d\dT/.test(value) ? `${age(value)} ago`
    : value;
}

// Whom this cluster pulls from, and what else it may have: shown where the node knows of it.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el } from './dom.js';
import { age, bytes, number } from './format.js';
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

// What the leader alone knows: at another node, where to look.
function ofLeader(rows, path, list, show) {
  const elsewhere = el('p', { class: 'note' });
  return {
    wide: true,
    every: 15,
    element: el('div', {}, elsewhere, rows),
    load: () => get(path).catch(problem => (problem.slug === 'not-leader' ? problem.body : Promise.reject(problem))),
    show: answer => {
      const isHere = Array.isArray(answer[list]);
      rows.hidden = !isHere;
      elsewhere.hidden = isHere;
      if (isHere) show(answer[list]);
      else elsewhere.replaceChildren('Only the leader knows: ', answer.leaderUrl ? el('a', { href: answer.leaderUrl }, answer.leader) : 'and nobody leads now', '.');
    },
  };
}

export const upstreams = {
  id: 'upstreams',
  title: 'Upstreams',
  ...ofLeader(upstreamRows.element, 'v1/sync/status', 'upstreams', all => upstreamRows.show(all, 'This cluster pulls from no other.')),
};

const followerRows = table('Clusters that this one ships to', [
  { title: 'Follower', cell: one => one.name },
  { title: 'State', cell: one => badge(wordsOf[one.state] ?? one.state, one.state === 'inStep' ? 'good' : one.state === 'unreachable' ? 'bad' : 'warn') },
  { title: 'Behind', number: true, cell: one => number(one.lagEntries) },
  { title: 'Bytes', number: true, cell: one => bytes(one.lagBytes) },
  { title: 'Seconds', number: true, cell: one => number(Math.round(one.lagSeconds)) },
  { title: 'Last error', cell: one => (one.lastError ? `${one.lastError} (for ${age(one.failingSince)})` : '') },
  { title: 'Do', cell: (one, cell, row) => cell.firstChild ?? actionButton('follower-remove', () => ({ name: row.item.name })) },
], one => one.name);

const wordsOf = { inStep: 'in step', catchingUp: 'catching up' };

export const followers = {
  id: 'followers',
  title: 'Followers',
  ...ofLeader(el('div', {}, followerRows.element, actionButton('follower-add')), 'v1/followers', 'followers', all =>
    followerRows.show(all, 'This cluster ships to no other.')),
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

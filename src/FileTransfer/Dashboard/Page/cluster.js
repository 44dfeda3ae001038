// Who is in the cluster, how each node is, and whether all of them have what they want.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, say, time } from './dom.js';
import { age, bytes, number, plural } from './format.js';
import { table } from './table.js';

const verdict = el('p', { class: 'verdict' });
const leader = el('p', { class: 'leader' });
const tones = { healthy: 'good', degraded: 'warn', starting: 'idle', draining: 'idle' };

const nodes = table('Nodes of the cluster', [
  { title: 'Node', cell: nameCell },
  { title: 'Role', cell: node => badge(node.role, node.role === 'leader' ? 'lead' : 'idle') },
  { title: 'Health', cell: healthCell },
  { title: 'Disk', cell: diskCell },
  { title: 'Behind', number: true, cell: node => (node.lag === 0 ? 'in step' : plural(node.lag, 'mutation')) },
  { title: 'Stored', number: true, cell: node => `${node.estimated ? '~' : ''}${number(node.stored)}` },
  { title: 'Wanted', number: true, cell: node => number(node.wanted) },
  { title: 'Downloading', number: true, cell: node => number(node.downloading) },
  { title: 'Failed', number: true, cell: node => number(node.failed) },
  { title: 'Do', cell: (node, cell, row) => cell.firstChild ?? el('p', { class: 'buttons' }, ...['evacuate', 'evacuate-cancel'].map(id => actionButton(id, () => ({ node: row.item.node })))) },
  { title: 'Heard of', cell: (node, cell, row) => (node.alive ? time(node.seenAt, `${age(node.seenAt)} ago`) : goneCell(node, cell, row)) },
], node => node.node);

export const cluster = {
  id: 'nodes',
  title: 'Nodes',
  wide: true,
  every: 10,
  live: true,
  element: el('div', {}, verdict, leader, nodes.element),
  load,
  show,
};

async function load() {
  const [all, health, lead] = await Promise.all([
    get('v1/nodes'),
    get('v1/health'),
    get('v1/leader').catch(problem => (problem.slug === 'no-leader' ? null : Promise.reject(problem))),
  ]);
  return { ...all, here: health.node, lead, health: new Map(health.nodes.map(one => [one.node, one])) };
}

function show(answer) {
  say(document.getElementById('where'), `cluster ${answer.cluster} at node ${answer.here}`);
  document.title = `${answer.here} · FileTransfer`;
  const lead = answer.lead;
  say(leader, lead ? `${lead.node} leads since ${new Date(lead.since).toLocaleString()} (${age(lead.since)}), epoch ${lead.epoch}.` : '');
  const [text, tone] = judge(answer);
  say(verdict, text);
  verdict.className = `verdict ${tone}`;
  nodes.show(answer.nodes.map(node => ({ ...node, here: node.node === answer.here, ...answer.health.get(node.node) })), 'No node has joined yet.');
}

// One sentence about the whole cluster, the worst first.
function judge({ lead, nodes: all }) {
  const gone = all.filter(node => !node.alive);
  const behind = all.filter(node => node.alive && node.lag + node.wanted + node.downloading + node.failed + node.paused > 0);
  if (!lead) return ['Nobody leads: no file can be uploaded or removed now.', 'bad'];
  if (gone.length > 0) return [`Not in step: ${gone.map(node => `${node.node} has not been heard of for ${age(node.seenAt)}`).join(', ')}.`, 'bad'];
  if (behind.length > 0) {
    const lacks = node => plural(node.lag + node.wanted + node.downloading + node.failed + node.paused, 'file');
    return [`Not in step: ${behind.map(node => `${node.node} lacks ${lacks(node)}`).join(', ')}.`, 'warn'];
  }
  return [all.length === 1 ? 'In step: the one node has every file that it wants.' : `In step: all ${all.length} nodes have every file that they want.`, 'good'];
}

function nameCell(node, cell) {
  if (node.here) return el('strong', {}, node.node, el('small', {}, ' this node'));
  const link = cell.firstChild ?? el('a', { href: node.url }, node.node);
  link.href = node.url;
  return link;
}

// The checks that are not well, in words, below the status.
function healthCell(node) {
  if (!node.health) return el('span', {}, badge(node.alive ? 'no answer' : 'gone', 'bad'), el('small', {}, node.alive ? node.fault : ''));
  const { status, checks } = node.health;
  const wrong = Object.entries(checks ?? {}).filter(([, check]) => check.status !== 'healthy');
  return el('span', {}, badge(status, tones[status] ?? 'bad'), ...wrong.map(([name, check]) => el('small', {}, `${name}: ${check.detail}`)));
}

function diskCell(node) {
  const disk = node.health?.disk;
  if (!disk) return '';
  const used = disk.total - disk.free;
  const text = `${bytes(disk.free)} free of ${bytes(disk.total)}`;
  return el('span', {},
    el('meter', { min: 0, max: disk.total, high: disk.total - disk.floor, low: (disk.total - disk.floor) * 0.9, optimum: 0, value: used, 'aria-label': `Disk of ${node.node}` }, text),
    el('small', {}, `${text}, floor ${bytes(disk.floor)}`));
}

function goneCell(node, cell, row) {
  const text = `${age(node.seenAt)} ago`;
  if (cell.firstChild?.dataset?.gone) {
    say(cell.firstChild.firstChild, text);
    return cell.firstChild;
  }
  return el('span', { 'data-gone': 'true' }, el('span', {}, text), actionButton('node-remove', () => ({ node: row.item.node })));
}

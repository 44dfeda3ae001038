// Whom this node takes contents from, who sends it some, and how much both may use.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, el, time } from './dom.js';
import { age, bytes, clock, number, rate, short, span } from './format.js';
import { table } from './table.js';

const tones = { healthy: 'good', unreachable: 'bad', demoted: 'warn', paused: 'warn' };

const sourceRows = table('Sources that this node has met', [
  { title: 'Source', cell: one => one.source },
  { title: 'State', cell: one => badge(one.state, tones[one.state] ?? 'idle') },
  { title: 'Rate', number: true, cell: one => (one.bytesPerSecond ? rate(one.bytesPerSecond) : '') },
  { title: 'Requests', number: true, cell: one => number(one.requests) },
  { title: 'Reason', cell: one => [one.reason, one.until && `until ${clock(one.until)}`].filter(Boolean).join(', ') },
], one => one.source);

export const sources = {
  id: 'sources',
  title: 'Sources',
  every: 10,
  live: true,
  element: sourceRows.element,
  load: () => get('v1/sources'),
  show: answer => sourceRows.show(answer.sources, 'This node has not asked anybody for a content yet.'),
};

const uploadRows = table('Uploads that come in at this node', [
  { title: 'File', cell: one => one.location ?? (one.key ? short(one.key) : 'a batch') },
  { title: 'Received', number: true, cell: one => (one.length ? `${bytes(one.bytesReceived)} of ${bytes(one.length)}` : bytes(one.bytesReceived)) },
  { title: 'From', cell: one => [one.client, one.token].filter(Boolean).join(', ') },
  { title: 'Since', cell: one => time(one.since, age(one.since)) },
  { title: 'Silent', number: true, cell: one => (one.silentSeconds >= 1 ? span(one.silentSeconds) : '') },
], one => `${one.since} ${one.key ?? one.location} ${one.client}`);

export const uploads = {
  id: 'uploads',
  title: 'Uploads',
  every: 10,
  live: true,
  element: uploadRows.element,
  load: () => get('v1/uploads'),
  show: answer => uploadRows.show(answer.uploads, 'Nothing is being uploaded here.'),
};

const limitRows = table('Limits of this node', [
  { title: 'Limit', cell: one => one.name },
  { title: 'In force', cell: one => one.inForce },
  { title: 'Now', cell: one => one.now },
  { title: 'Configured', cell: one => one.configured },
], one => one.name);
let set = null;
const forget = actionButton('limits-delete');

export const limits = {
  id: 'limits',
  title: 'Limits',
  every: 30,
  element: el('div', {}, limitRows.element, el('p', { class: 'buttons' }, actionButton('limits-set', () => set ?? {}), forget)),
  load: () => get('v1/limits'),
  show: answer => {
    set = answer.set;
    forget.hidden = set === null;
    limitRows.show(limitsOf(answer), '');
  },
};

function limitsOf({ inForce, configured, now }) {
  const next = one => (one.until ? `${one.rate}, from ${clock(one.until)} ${one.then}` : one.rate);
  return [
    { name: 'Download', inForce: inForce.download, configured: configured.download, now: next(now.download) },
    { name: 'Upload', inForce: inForce.upload, configured: configured.upload, now: next(now.upload) },
    ...Object.entries(inForce.perSource ?? {}).map(([name, value]) => ({
      name: name === '*' ? 'Any other source' : name,
      inForce: value,
      configured: configured.perSource?.[name] ?? '',
      now: now.perSource?.[name] ? next(now.perSource[name]) : '',
    })),
    ...[['Requests', 'requests'], ['Requests at one source', 'requestsPerSource'], ['Sources at once', 'connections']].map(([name, member]) =>
      ({ name, inForce: String(inForce[member]), configured: String(configured[member]), now: '' })),
  ];
}

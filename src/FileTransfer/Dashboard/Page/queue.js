// What this node has to do, and since when the oldest of it is wanted.
import { get } from './api.js';
import { number, span } from './format.js';
import { table } from './table.js';

const counted = 100_000;
const words = {
  ready: 'ready, waiting for a lane',
  waiting: 'waiting for their next attempt, an upload or a source',
  unprovided: 'waiting for a node that has them',
  failed: 'failed',
  downloading: 'downloading',
  removing: 'being removed',
  paused: 'paused by a person',
};

const rows = table('Files that this node has to do something about', [
  { title: 'Files that are', cell: part => words[part.state] ?? part.state },
  { title: 'Count', number: true, cell: part => (part.count >= counted ? `${number(counted)} or more` : number(part.count)) },
  { title: 'Oldest wanted for', number: true, cell: part => (part.state === 'removing' ? '' : span(part.oldestSeconds)) },
], part => part.state);

export const queue = {
  id: 'queue',
  title: 'Queue',
  every: 10,
  live: true,
  element: rows.element,
  load: () => get('v1/queue'),
  show: answer => rows.show(answer.parts, 'Nothing waits at this node.'),
};

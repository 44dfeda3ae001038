// Puts the views on the page, and keeps them true.
import { askToken } from './dialogs.js';
import { audit } from './audit.js';
import { buckets } from './buckets.js';
import { cluster } from './cluster.js';
import { orphans, scrub } from './contents.js';
import { downloads, hear as hearDownload } from './downloads.js';
import { events, hear as hearEvent } from './events.js';
import { exports } from './exports.js';
import { failures } from './failures.js';
import { files } from './files.js';
import { follow } from './live.js';
import { loads } from './loads.js';
import { followers, ingest, upstreams } from './neighbours.js';
import { add, refresh, start } from './page.js';
import { peers } from './peers.js';
import { queue } from './queue.js';
import { say } from './dom.js';
import { steering } from './steering.js';
import { history } from './history.js';
import { tokens } from './tokens.js';
import { limits, sources, uploads } from './traffic.js';
import { trust } from './trust.js';
import { workers } from './workers.js';

const live = document.getElementById('live');

const views = [
  cluster,
  downloads,
  queue,
  failures,
  history,
  files,
  loads,
  steering,
  buckets,
  upstreams,
  followers,
  peers,
  ingest,
  sources,
  uploads,
  limits,
  scrub,
  orphans,
  exports,
  workers,
  events,
  audit,
  tokens,
  trust,
];
views.forEach(add);

function tell(state, fault) {
  const [text, tone] =
    state === 'live' ? ['live', 'good']
    : state === 'hidden' ? ['resting', 'idle']
    : fault?.status === 401 ? ['a token is needed', 'warn']
    : fault?.status === undefined ? ['connection lost; trying again', 'bad']
    : [fault.message, 'bad'];
  say(live, text);
  live.className = `badge ${tone}`;
  askOnce(fault);
}

// Asked for by itself once; whoever will not give one is not asked every few seconds.
let isAsked = false;

function askOnce(fault) {
  if (fault?.status !== 401 || isAsked) return;
  isAsked = true;
  askToken(fault.message);
}

document.getElementById('token').addEventListener('click', () => askToken());
document.addEventListener('token', () => {
  isAsked = false;
  refresh();
});

start(askOnce);
follow('v1/events', (name, event) => {
  hearDownload(name, event);
  hearEvent(name, event);
  if (name !== 'proven') refresh(true);
}, (state, fault) => {
  tell(state, fault);
  if (state === 'live') refresh();
});

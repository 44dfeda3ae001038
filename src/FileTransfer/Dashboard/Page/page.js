// The page: a section and a link for each view, and who asks when. A view is
//   { id, title, wide, every, live, element, load(), show(answer) }
// which is loaded every so many seconds, and soon after something happened where it is live. While nobody looks, nobody asks.
import { el, note, say } from './dom.js';

const least = 2_000; // Between two loads of one view, however much happens.
const shown = [];
let told = () => {};
let timer;

export function add(view) {
  const title = el('h2', { id: `${view.id}-title` }, view.title);
  const fault = el('p', { class: 'note', role: 'status', hidden: true });
  const section = el('section', { id: view.id, class: view.wide ? 'wide' : null, 'aria-labelledby': title.id }, title, fault, view.element);
  const link = el('li', {}, el('a', { href: `#${view.id}` }, view.title));
  section.hidden = link.hidden = view.optional === true;
  document.getElementById('main').append(section);
  document.getElementById('sections').append(link);
  shown.push({ view, section, link, fault, due: 0, loadedAt: -Infinity });
}

// Who hears of what goes wrong: every fault that is not the view's own, and null when all is well.
export function start(hear) {
  told = hear;
  document.addEventListener('visibilitychange', () => refresh());
  refresh();
}

// All, or those that follow what happens.
export function refresh(onlyLive = false) {
  for (const entry of shown) {
    if (!onlyLive || entry.view.live) entry.due = Math.min(entry.due, Math.max(performance.now(), entry.loadedAt + least));
  }
  wait();
}

function wait() {
  clearTimeout(timer);
  if (document.hidden) return;
  const next = Math.min(...shown.filter(entry => !entry.loads).map(entry => entry.due));
  if (next < Infinity) timer = setTimeout(loadDue, Math.max(0, next - performance.now()));
}

function loadDue() {
  for (const entry of shown) {
    if (!entry.loads && entry.due <= performance.now()) load(entry);
  }
  wait();
}

async function load(entry) {
  const { view, section, link, fault } = entry;
  entry.loads = true;
  entry.loadedAt = performance.now();
  entry.due = entry.loadedAt + view.every * 1000;
  try {
    view.show(await view.load());
    note(fault, '');
    section.hidden = link.hidden = false;
    told(null);
  } catch (problem) {
    const isAbsent = problem.status === 404 && view.optional === true;
    section.hidden = link.hidden = isAbsent || (section.hidden && problem.status === undefined);
    if (problem.status !== undefined) note(fault, problem.message, 'warn');
    if (!isAbsent) told(problem);
  }
  entry.loads = false;
  wait();
}

// What an action came to, for everybody to see and hear.
export function announce(text, tone = 'good') {
  const line = document.getElementById('said');
  line.className = tone;
  say(line, text);
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => say(line, ''), 12_000);
}

// One file: what it is, where it is, and why it is not here.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { badge, button, el, note, say, time } from './dom.js';
import { age, bytes, nameOf } from './format.js';
import { table } from './table.js';

const every = 5_000;
const tones = { stored: 'good', failed: 'bad', downloading: 'lead' };

export function openFile(key) {
  const heading = el('h2', { id: 'file-title' }, 'File');
  const facts = el('dl');
  const says = el('ul', { class: 'says' });
  const fault = el('p', { class: 'note', role: 'status', hidden: true });
  let file = { key };
  const given = () => ({ key, location: nameOf(file) });
  const replicas = table('Where it is', [
    { title: 'Node', cell: one => one.node },
    { title: 'State', cell: one => badge(one.state, tones[one.state] ?? 'idle') },
    { title: 'Proven', number: true, cell: one => `${Math.floor(one.progress * 100)} %` },
    { title: 'Reason', cell: one => one.reason ?? '' },
    { title: 'Attempts', number: true, cell: one => String(one.attempts) },
    { title: 'Since', cell: one => (one.changedAt ? time(one.changedAt, age(one.changedAt)) : '') },
  ], one => one.node);
  const wishes = table('Who asked this node for it', [
    { title: 'Caller', cell: one => one.caller ?? 'somebody' },
    { title: 'Since', cell: one => time(one.askedAt, age(one.askedAt)) },
    { title: 'Do', cell: (one, cell, row) => cell.firstChild ?? actionButton('withdraw', () => ({ ...given(), id: row.item.id }), load) },
  ], one => one.id);
  const dialog = el('dialog', { class: 'file', 'aria-labelledby': heading.id, close },
    heading, fault, facts, el('h3', {}, 'Why it is, or is not, at this node'), says, replicas.element, wishes.element,
    el('p', { class: 'buttons' },
      actionButton('fetch', given, load), actionButton('retry', given, load), actionButton('pause', given, load), actionButton('resume', given, load), actionButton('priority', given, load),
      actionButton('cancel', given, load), actionButton('scrub', given, load),
      actionButton('remove', given, () => dialog.close()), button('Close', () => dialog.close())));
  const timer = setInterval(() => document.hidden || load(), every);

  function close() {
    clearInterval(timer);
    dialog.remove();
  }

  async function load() {
    try {
      const [described, explained] = await Promise.all([get(`v1/files/${key}`), get(`v1/files/${key}/explain`)]);
      file = described;
      say(heading, nameOf(file));
      facts.replaceChildren(...factsOf(file).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
      says.replaceChildren(...explained.says.map(sentence => el('li', {}, sentence)));
      const unwanted = (file.notWantedAt ?? []).map(node => ({ node, state: 'not wanted', progress: 0, attempts: 0, reason: 'its policy leaves it out' }));
      replicas.show([...file.replicas, ...unwanted], 'No node has it, or wants it.');
      wishes.show(explained.intents, '');
      wishes.element.hidden = explained.intents.length === 0;
      note(fault, '');
    } catch (problem) {
      note(fault, problem.message, 'bad');
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  load();
}

function factsOf(file) {
  return [
    ['Location', nameOf(file)],
    ['Size', `${bytes(file.size)} (${file.size} bytes)`],
    ['In the cluster', file.fileState],
    ['Here', file.state],
    ['Bucket', file.bucket],
    ['Owner', file.owner],
    ['File key', file.key],
    ['Fingerprint', file.fingerprint],
    ['Registered', new Date(file.registeredAt).toLocaleString()],
  ];
}

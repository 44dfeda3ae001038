// How far behind each node was, over time.
import { get } from './api.js';
import { el, say } from './dom.js';
import { bytes, number } from './format.js';

const width = 480;
const height = 56;
const spans = [[1, 'hour'], [24, 'day'], [168, '7 days'], [720, '30 days']];
const choice = el('select', { change: () => load().then(show) }, ...spans.map(([hours, text]) => el('option', { value: hours, selected: hours === 24 }, `the last ${text}`)));
const plots = el('div', { class: 'plots' });

export const history = {
  id: 'history',
  title: 'Behind',
  wide: true,
  every: 60,
  element: el('div', {}, el('p', { class: 'search' }, el('label', {}, 'Files that each node lacked, and mutations that it had not read, over', choice)), plots),
  load,
  show,
};

function load() {
  return get(`v1/history?hours=${choice.value}`);
}

function show({ nodes, from }) {
  const seen = new Set(nodes.map(node => node.node));
  for (const plot of [...plots.children]) if (!seen.has(plot.dataset.node)) plot.remove();
  const over = choice.selectedOptions[0].textContent;
  for (const node of nodes) {
    let plot = [...plots.children].find(one => one.dataset.node === node.node);
    if (!plot) plots.append((plot = el('figure', { 'data-node': node.node }, el('figcaption'), svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', preserveAspectRatio: 'none' }), el('p', { class: 'axis' }, el('span'), el('span', {}, 'now')))));
    draw(plot, node, over, from);
  }
}

function draw(plot, node, over, from) {
  const behind = node.lag.map((lag, point) => (lag === null ? null : lag + node.lacking[point]));
  const known = behind.filter(value => value !== null);
  const most = Math.max(0, ...known);
  const free = node.diskFree.findLast(value => value !== null);
  const text = `${node.node}: at most ${number(most)}, now ${number(known.at(-1) ?? 0)}${free ? `; ${bytes(free)} free` : ''}`;
  const [caption, picture, axis] = plot.children;
  say(caption, text);
  picture.setAttribute('aria-label', `${text}, over ${over}`);
  picture.replaceChildren(...runs(behind).map(run => area(run, behind.length, most)));
  say(axis.firstChild, new Date(from).toLocaleString());
}

// What is known in a row; where the node said nothing, there is a gap.
function runs(values) {
  const found = [];
  values.forEach((value, point) => {
    if (value === null) return;
    if (values[point - 1] === null || values[point - 1] === undefined) found.push([]);
    found.at(-1).push([point, value]);
  });
  return found;
}

function area(run, points, most) {
  const x = point => ((width * point) / points).toFixed(1);
  const y = value => (height - 2 - ((height - 4) * value) / Math.max(1, most)).toFixed(1);
  const steps = run.map(([point, value]) => `L${x(point)} ${y(value)}L${x(point + 1)} ${y(value)}`).join('');
  return svg('path', { d: `M${x(run[0][0])} ${height}${steps}L${x(run.at(-1)[0] + 1)} ${height}Z` });
}

function svg(tag, attributes) {
  const element = document.createElementNS('http' + '://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

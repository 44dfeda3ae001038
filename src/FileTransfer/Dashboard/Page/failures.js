// What failed here, and why.
import { actionButton } from './actions.js';
import { get } from './api.js';
import { button, el, say } from './dom.js';
import { openFile } from './file.js';
import { bytes, nameOf } from './format.js';
import { table } from './table.js';

const rows = table('Files whose attempts failed at this node', [
  {
    title: 'Location',
    cell: (file, cell, row) => {
      const link = cell.firstChild ?? button('', () => openFile(row.item.key), { class: 'link' });
      say(link, nameOf(file));
      return link;
    },
  },
  { title: 'Size', number: true, cell: file => bytes(file.size) },
  { title: 'Reason', cell: file => file.reason ?? '' },
  { title: 'Do', cell: (file, cell, row) => cell.firstChild ?? actionButton('retry', () => row.item) },
], file => file.key);
const all = el('p', { class: 'buttons', hidden: true }, actionButton('retry-all'));

export const failures = {
  id: 'failures',
  title: 'Failures',
  every: 10,
  live: true,
  element: el('div', {}, rows.element, all),
  load: () => get('v1/files?state=failed&limit=50'),
  show: ({ files }) => {
    rows.show(files, 'No file has failed here.');
    all.hidden = files.length === 0;
  },
};

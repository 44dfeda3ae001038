// A table that is brought up to date row by row: what has the focus keeps it, and what did not change is left alone.
import { el, say } from './dom.js';

// A column: { title, number, cell(item, cell, row) }, where cell() answers with text, or with a node that it may take from the cell again.
// On a narrow screen a row is a card, and each of its cells names itself; the roles keep it a table for a screen reader.
export function table(caption, columns, keyOf) {
  const rows = new Map();
  const body = el('tbody', { role: 'rowgroup' });
  const head = el('tr', { role: 'row' },
    ...columns.map(column => el('th', { scope: 'col', role: 'columnheader', class: column.number && 'number' }, column.title)));
  const empty = el('p', { class: 'empty', hidden: true });
  const element = el('div', { class: 'table' },
    el('table', { role: 'table' }, el('caption', {}, caption), el('thead', { role: 'rowgroup' }, head), body), empty);

  function rowOf(item) {
    const key = keyOf(item);
    let row = rows.get(key);
    if (!row) {
      row = el('tr', { role: 'row' }, ...columns.map((column, index) =>
        el(index === 0 ? 'th' : 'td', {
          scope: index === 0 && 'row',
          role: index === 0 ? 'rowheader' : 'cell',
          class: column.number && 'number',
          'data-title': column.title,
        })));
      rows.set(key, row);
    }
    row.item = item;
    columns.forEach((column, index) => fill(row.cells[index], column.cell(item, row.cells[index], row)));
    return row;
  }

  function show(items, without) {
    const wanted = items.map(rowOf);
    const kept = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (!kept.has(key)) {
        row.remove();
        rows.delete(key);
      }
    }
    wanted.forEach((row, index) => {
      if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    });
    element.firstChild.hidden = items.length === 0;
    empty.hidden = items.length > 0;
    say(empty, items.length > 0 ? '' : without);
  }

  return { element, show };
}

function fill(cell, value) {
  if (value instanceof Node) {
    if (cell.firstChild !== value || cell.childNodes.length > 1) cell.replaceChildren(value);
  } else {
    say(cell, value ?? '');
  }
}

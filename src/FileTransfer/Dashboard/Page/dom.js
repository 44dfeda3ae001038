// Makes elements. Whatever a node, a file or a person is called is put in as text, never as markup.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== undefined && child !== null && child !== ''));
  return element;
}

export function button(text, press, attributes = {}) {
  return el('button', { type: 'button', ...attributes, click: press }, text);
}

// Leaves the element alone where it says that already: a reader that follows it hears of changes only.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A word with a colour. The word says it all.
export function badge(text, tone) {
  return el('span', { class: `badge ${tone}` }, text);
}

export function time(iso, text) {
  return el('time', { datetime: iso, title: new Date(iso).toLocaleString() }, text);
}

// What a section has to say beside its tables.
export function note(element, text, tone = '') {
  say(element, text);
  element.className = `note ${tone}`;
  element.hidden = text === '';
}

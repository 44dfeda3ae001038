// What is asked before something is done.
import { ask, pathOf, setToken, token, Problem } from './api.js';
import { button, el, note } from './dom.js';
import { announce, refresh } from './page.js';

// A dialog with a form; send() takes the values, and the dialog stays open where it rejects.
function form({ title, lead, fields = [], confirm, destroys, send }) {
  return new Promise(resolve => {
    const inputs = fields.map(inputOf);
    const fault = el('p', { class: 'note bad', role: 'alert', hidden: true });
    const go = el('button', { type: 'submit', class: destroys ? 'danger' : 'primary' }, confirm);
    const leave = button('Cancel', () => dialog.close());
    const heading = el('h2', { id: 'dialog-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': heading.id, close: () => { dialog.remove(); resolve(dialog.sent === true); } },
      el('form', { submit },
        heading,
        lead ? el('p', {}, lead) : null,
        ...inputs.map(one => one.element),
        fault,
        el('p', { class: 'buttons' }, leave, go)));

    async function submit(event) {
      event.preventDefault();
      go.disabled = true;
      try {
        await send(Object.fromEntries(inputs.map(one => [one.name, one.value()])));
        dialog.sent = true;
        dialog.close();
      } catch (problem) {
        note(fault, problem.message, 'bad');
      } finally {
        go.disabled = false;
      }
    }

    document.body.append(dialog);
    dialog.showModal();
    (destroys ? leave : inputs[0]?.input ?? go).focus();
  });
}

// A field: { name, label, type, value, help, required, options }, of type text, password, lines, check, choice or file.
function inputOf(field) {
  const id = `field-${field.name}`;
  const common = { id, required: field.required, 'aria-describedby': field.help && `${id}-help` };
  const input =
    field.type === 'lines' ? el('textarea', { ...common, rows: 4 }, field.value ?? '')
    : field.type === 'choice' ? el('select', common,
      ...field.options.map(([value, text]) => el('option', { value, selected: value === field.value }, text)))
    : field.type === 'check' ? el('input', { ...common, type: 'checkbox', checked: field.value })
    : el('input', { ...common, type: field.type ?? 'text', value: field.value, autocomplete: 'off', spellcheck: 'false' });
  const help = field.help && el('small', { id: `${id}-help` }, field.help);
  const label = el('label', { for: id }, field.label);
  const value = () =>
    field.type === 'check' ? input.checked
    : field.type === 'file' ? input.files[0]
    : field.type === 'lines' ? input.value.split('\n').map(line => line.trim()).filter(line => line !== '')
    : input.value.trim();
  const element = el('p', { class: `field ${field.type ?? 'text'}` }, ...(field.type === 'check' ? [input, label] : [label, input]), help);
  return { name: field.name, input, value, element };
}

// Does what an action says, after its dialog where it has something to ask or to warn of. given: what is known already.
export async function run(action, given = {}) {
  const [method, path] = action.route.split(' ');
  const send = async values => {
    const all = { ...given, ...values };
    const query = Object.fromEntries((action.query ?? []).map(name => [name, all[name]]));
    const answer = await ask(method, pathOf(path.slice(1), all, query), { body: action.body?.(all) });
    announce(action.done(answer, all));
  };
  try {
    const fields = action.fields?.(given) ?? [];
    if (fields.length > 0 || action.destroys) {
      const lead = typeof action.lead === 'function' ? action.lead(given) : action.lead;
      if (!(await form({ title: action.title, lead, fields, confirm: action.confirm ?? action.title, destroys: action.destroys, send }))) {
        return false;
      }
    } else {
      await send({});
    }
  } catch (problem) {
    announce(problem.message, 'bad');
    if (problem instanceof Problem && problem.status === 401) await askToken(problem.message);
    return false;
  }
  refresh();
  return true;
}

let asked;

// One at a time, however many answers say that a token is wanted.
export function askToken(reason) {
  asked ??= form({
    title: 'Token',
    lead: reason ?? 'Sent with every request from this tab, and forgotten with it.',
    fields: [{ name: 'token', label: 'One of the node’s tokens', type: 'password', value: token() ?? '', help: 'Empty: none is sent.' }],
    confirm: 'Use it',
    send: async values => setToken(values.token),
  }).then(isGiven => {
    asked = undefined;
    if (isGiven) document.dispatchEvent(new Event('token'));
    return isGiven;
  });
  return asked;
}

// Follows a stream of server-sent events, with the token that EventSource could not send. It comes back by itself, and rests while
// nobody looks at the page.
import { send, Problem } from './api.js';

const silence = 25_000; // The node says something every ten seconds.
const longestPause = 10_000;

// told: 'live', 'lost' or 'hidden', and why. heard: an event's name and its data.
export async function follow(path, heard, told) {
  let last;
  for (let failures = 0; ; ) {
    await visible(told);
    const stop = new AbortController();
    const hide = () => document.hidden && stop.abort();
    document.addEventListener('visibilitychange', hide);
    try {
      const headers = last ? { 'Last-Event-ID': last } : {};
      const response = await send('GET', path, { headers, signal: stop.signal });
      if (!response.ok) throw new Problem(response.status, await response.json().catch(() => null));
      failures = 0;
      told('live');
      for await (const event of events(response.body, stop)) {
        last = event.id ?? last;
        if (event.data) heard(event.name, JSON.parse(event.data));
      }
      throw new Error('the node ended the stream');
    } catch (fault) {
      if (document.hidden) continue;
      told('lost', fault);
      failures++;
      await pause(Math.min(longestPause, 500 * 2 ** failures));
    } finally {
      document.removeEventListener('visibilitychange', hide);
    }
  }
}

// Cut short by a token, which may have been all that was wrong.
function pause(milliseconds) {
  return new Promise(resolve => {
    setTimeout(resolve, milliseconds);
    document.addEventListener('token', resolve, { once: true });
  });
}

function visible(told) {
  if (!document.hidden) return;
  told('hidden');
  return new Promise(resolve => document.addEventListener('visibilitychange', resolve, { once: true }));
}

async function* events(body, stop) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const timer = setTimeout(() => stop.abort(new Error('nothing was heard')), silence);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) yield parse(block);
    }
  } finally {
    reader.cancel().catch(() => {}); // It has ended already where the connection has.
  }
}

function parse(block) {
  const event = { name: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event.name = value;
    else if (field === 'data') event.data += value;
    else if (field === 'id') event.id = value;
  }
  return event;
}

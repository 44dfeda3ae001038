// Asks the node that this page came from, with the token of this session where it wants one.
import { setNow } from './format.js';

const kept = 'filetransfer-token';

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `The node answered ${status}.`);
    this.status = status;
    this.slug = body?.type?.split(':').pop();
    this.body = body;
  }
}

// Gone with this tab; no other one has it.
export function token() {
  return sessionStorage.getItem(kept);
}

export function setToken(value) {
  if (value) sessionStorage.setItem(kept, value);
  else sessionStorage.removeItem(kept);
}

// Where the values of a path go: {key} and the like, and what follows behind a question mark.
export function pathOf(template, values = {}, query = {}) {
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

// The answer itself, whatever its status; rejects where nobody answers.
export async function send(method, path, { body, headers = {}, signal } = {}) {
  const bearer = token();
  const isJson = body !== undefined && !(body instanceof Blob);
  const response = await fetch(path, {
    method,
    signal,
    cache: 'no-store',
    body: isJson ? JSON.stringify(body) : body,
    headers: {
      ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
      ...(method === 'GET' ? { 'FileTransfer-Page': 'view' } : {}),
      ...(isJson ? { 'Content-Type': 'application/json' } : {}),
      ...(body instanceof Blob ? { 'Content-Type': 'application/octet-stream' } : {}),
      ...headers,
    },
  });
  setNow(response.headers.get('Date'));
  return response;
}

// What a route answers: parsed where it is JSON, a list where it is one of lines, null where there is nothing.
export async function ask(method, path, options) {
  const response = await send(method, path, options);
  const type = response.headers.get('Content-Type') ?? '';
  const text = await response.text();
  const answer = text === '' ? null
    : type.includes('ndjson') ? text.trim().split('\n').map(line => JSON.parse(line))
    : type.includes('json') ? JSON.parse(text)
    : text;
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

export function get(path, options) {
  return ask('GET', path, options);
}

// The first lines of a list that may be very long; the rest is not read.
export async function firstLines(path, most) {
  const stop = new AbortController();
  const response = await send('GET', path, { signal: stop.signal });
  if (!response.ok) throw new Problem(response.status, await response.json());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    text += value ?? '';
    const lines = text.split('\n');
    if (!done && lines.length <= most) continue;
    stop.abort();
    return lines.filter(line => line !== '').slice(0, most).map(line => JSON.parse(line));
  }
}

// What a person steers a node and its downloads with. As actions.js says them.
import { plural, short } from './format.js';

const spans = [['30m', '30 minutes'], ['2h', '2 hours'], ['24h', '24 hours'], ['', 'until it is resumed']];

export const steeringActions = [
  {
    id: 'pause',
    program: 'pause',
    route: 'POST /v1/downloads/pause',
    title: 'Pause',
    confirm: 'Pause',
    lead: given => `${what(given)} at this node. What has come is kept.`,
    fields: given => [
      ...(given.key ? [] : [{ name: 'bucket', label: 'Bucket', help: 'Hex, such as 0x02. Empty: every download of this node.' }]),
      { name: 'for', label: 'For', type: 'choice', value: '2h', options: spans },
    ],
    body: values => ({ ...scopeOf(values), ...(values.for ? { for: values.for } : { forever: true }) }),
    done: answer => `Paused: ${plural(answer.files, 'file waits', 'files wait')}, ${plural(answer.downloads, 'download was', 'downloads were')} stopped.`,
  },
  {
    id: 'resume',
    program: 'resume',
    route: 'POST /v1/downloads/resume',
    title: 'Resume',
    body: scopeOf,
    done: answer => `${plural(answer.files, 'file is', 'files are')} wanted again${answer.pauses.length > 0 ? `; ${plural(answer.pauses.length, 'pause stands', 'pauses stand')}` : ''}.`,
  },
  {
    id: 'handover',
    program: 'node handover',
    route: 'POST /v1/leader/handover',
    title: 'Hand the leadership over',
    destroys: true,
    lead: 'This node stops leading, and whichever other node takes the office first leads. For a second or so no file can be uploaded or removed.',
    done: answer => `${answer.node} leads.`,
  },
  {
    id: 'drain',
    program: 'node drain',
    route: 'POST /v1/drain',
    title: 'Stop this node',
    destroys: true,
    lead: 'The node takes no new requests, lets running ones end, and exits. Whatever supervises it may start it again.',
    done: answer => `${answer.node} stops within ${answer.withinSeconds} s.`,
  },
];

function scopeOf({ key, bucket }) {
  return key ? { key } : bucket ? { bucket } : {};
}

function what({ key, location }) {
  return key ? `The download of ${location ?? short(key)} stops` : 'Downloads stop';
}

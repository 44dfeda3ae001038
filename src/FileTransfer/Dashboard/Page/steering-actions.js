// What a person steers a node and its downloads with. As actions.js says them.
import { number, plural, short } from './format.js';

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
    id: 'priority',
    program: 'priority',
    route: 'PUT /v1/files/{key}/priority',
    title: 'Priority',
    confirm: 'Set',
    fields: () => [{ name: 'priority', label: 'Priority at this node', type: 'number', value: 10, required: true, help: '−100 to 100; others have 0.' }],
    body: values => ({ priority: Number(values.priority) }),
    done: answer => `It has priority ${answer.priority} at ${answer.node}; ${plural(answer.downloads, 'download', 'downloads')} gave way.`,
  },
  {
    id: 'bucket-priority',
    program: 'priority',
    route: 'PUT /v1/buckets/{bucket}/priority',
    title: 'Priority',
    confirm: 'Set',
    fields: () => [{ name: 'priority', label: 'Priority at this node', type: 'number', value: 10, required: true, help: '−100 to 100; others have 0. Also for files that come later.' }],
    body: values => ({ priority: Number(values.priority) }),
    done: answer => `${plural(answer.files, 'file has', 'files have')} priority ${answer.priority} at ${answer.node}; ${plural(answer.downloads, 'download', 'downloads')} gave way.`,
  },
  {
    id: 'cancel',
    program: 'cancel',
    route: 'POST /v1/files/{key}/cancel',
    title: 'Cancel',
    destroys: true,
    lead: given => `The download of ${given.location ?? short(given.key)} at this node ends, and what has come is deleted. Other nodes keep it.`,
    done: answer => `${short(answer.key)} is given up here.`,
  },
  {
    id: 'copies-set',
    program: 'copies set',
    route: 'PUT /v1/buckets/{bucket}/copies',
    title: 'Copies',
    confirm: 'Set',
    lead: 'So many copies of each file of the bucket are kept in the cluster: nothing that is pruned or emptied leaves fewer.',
    fields: () => [{ name: 'copies', label: 'At least', type: 'number', value: 2, required: true }],
    body: values => ({ copies: Number(values.copies) }),
    done: healthText,
  },
  {
    id: 'copies-delete',
    program: 'copies delete',
    route: 'DELETE /v1/buckets/{bucket}/copies',
    title: 'Forget copies',
    destroys: true,
    lead: given => `Of each file of ${short(given.bucket)} only the last copy is kept in any case.`,
    done: healthText,
  },
  {
    id: 'quota-set',
    program: 'quota set',
    route: 'PUT /v1/buckets/{bucket}/quota',
    title: 'Quota',
    confirm: 'Set',
    lead: 'Whoever registers or uploads more than that is refused. What upstreams have and what loads name comes all the same, and counts.',
    fields: given => [
      { name: 'bytes', label: 'Bytes at most', type: 'number', value: given.quota?.bytes ?? '', help: 'Empty: any.' },
      { name: 'files', label: 'Files at most', type: 'number', value: given.quota?.files ?? '', help: 'Empty: any.' },
    ],
    body: values => ({ bytes: values.bytes ? Number(values.bytes) : null, files: values.files ? Number(values.files) : null }),
    done: answer => `${short(answer.bucket)} has ${plural(answer.usedFiles, 'file')} now.`,
  },
  {
    id: 'quota-remove',
    program: 'quota remove',
    route: 'DELETE /v1/buckets/{bucket}/quota',
    title: 'Remove quota',
    destroys: true,
    lead: given => `${short(given.bucket)} may have as much as there is room for.`,
    done: () => 'The quota is removed.',
  },
  {
    id: 'evacuate',
    program: 'node evacuate',
    route: 'POST /v1/nodes/{node}/evacuate',
    title: 'Empty the node',
    destroys: true,
    lead: given => `Other nodes get copies of what only ${given.node} has, and do not ask it for what another has. What is on its disk stays there.`,
    done: evacuationText,
  },
  {
    id: 'evacuate-cancel',
    program: 'node evacuate',
    route: 'DELETE /v1/nodes/{node}/evacuate',
    title: 'Keep the node',
    done: evacuationText,
  },
  {
    id: 'worker-pause',
    program: 'workers pause',
    route: 'POST /v1/workers/{worker}/pause',
    title: 'Pause',
    confirm: 'Pause',
    lead: given => `${given.worker} pauses after what it does now.`,
    fields: () => [{ name: 'for', label: 'For', type: 'choice', value: '2h', options: spans.slice(0, 3) }],
    body: values => ({ for: values.for }),
    done: answer => `${answer.name} is paused.`,
  },
  {
    id: 'worker-resume',
    program: 'workers resume',
    route: 'POST /v1/workers/{worker}/resume',
    title: 'Resume',
    done: answer => `${answer.name} goes on.`,
  },
  {
    id: 'worker-set',
    program: 'workers set',
    route: 'PUT /v1/workers/{worker}',
    title: 'Pace',
    confirm: 'Set',
    fields: () => [{ name: 'pace', label: 'Time between two rounds', help: 'Such as 30s or 5m; empty: as usual.' }],
    body: values => ({ pace: values.pace || null }),
    done: answer => `${answer.name} works every ${answer.paceSeconds} s.`,
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

function healthText({ bucket, files, underReplicated, missing }) {
  return `${short(bucket)}: ${plural(files, 'file')}, ${number(underReplicated)} with too few copies, ${number(missing)} with none.`;
}

function evacuationText({ node, since, files }) {
  return since ? `${node} is being emptied; it is needed for ${plural(files, 'file')}.` : `${node} is kept.`;
}

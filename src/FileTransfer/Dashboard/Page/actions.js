// Everything that can be done from here. program: the command that does the same; route: what is asked.
// fields(given): what is asked before; query, body: where the values go; lead: what is said before something is destroyed.
import { run } from './dialogs.js';
import { button } from './dom.js';
import { bytes, plural, short } from './format.js';
import { exportActions } from './export-actions.js';
import { loadActions } from './load-actions.js';
import { neighbourActions } from './neighbour-actions.js';
import { steeringActions } from './steering-actions.js';
import { tokenActions } from './token-actions.js';
import { trustActions } from './trust-actions.js';

const causes = ['', 'wrong-bytes', 'refused', 'stalled', 'ended-early', 'unreachable', 'deadline', 'node-fault'];
const ofFile = given => given.location ?? short(given.key);

export const actions = [
  {
    id: 'put',
    program: 'put',
    route: 'POST /v1/files',
    title: 'Upload a file',
    confirm: 'Upload',
    query: ['owner', 'bucket', 'location'],
    fields: given => [
      { name: 'file', label: 'Content', type: 'file', required: true },
      { name: 'owner', label: 'Owner', required: true, help: 'Hex, such as 0x01.' },
      { name: 'bucket', label: 'Bucket', required: true, value: given.bucket, help: 'Hex, such as 0x02.' },
      { name: 'location', label: 'Location', required: true, help: 'Its name in the bucket.' },
    ],
    body: values => values.file,
    done: (answer, values) => `${values.location} is stored as ${short(answer.key)}.`,
  },
  {
    id: 'remove',
    program: 'remove',
    route: 'DELETE /v1/files/{key}',
    title: 'Remove the file',
    destroys: true,
    query: ['now'],
    fields: () => [{ name: 'now', label: 'Delete its content at once, for good', type: 'check' }],
    lead: given => `${ofFile(given)} is removed from every node of the cluster. Nodes keep its content for a day as a rule (FileTransfer:Store:TrashPeriod); until then it can be restored.`,
    done: (answer, values) => answer?.keptFor
      ? `This cluster does not want ${ofFile(values)} any more; it stays for ${answer.keptFor.join(', ')}.`
      : `${ofFile(values)} is removed.`,
  },
  {
    id: 'restore',
    program: 'restore',
    route: 'POST /v1/files/{key}/restore',
    title: 'Restore a file',
    confirm: 'Restore',
    fields: () => [{ name: 'key', label: 'Key of the removed file', required: true, help: 'The audit log has it.' }],
    done: answer => `${ofFile(answer)} is a file of the cluster again.`,
  },
  {
    id: 'fetch',
    program: 'fetch',
    route: 'POST /v1/files/{key}/fetch',
    title: 'Fetch now',
    done: answer => answer.says,
  },
  {
    id: 'withdraw',
    program: 'fetch',
    route: 'DELETE /v1/files/{key}/fetch/{id}',
    title: 'Withdraw the wish',
    destroys: true,
    lead: given => `If nobody else wants ${ofFile(given)} here, its download ends and what has come of it is deleted.`,
    done: answer => answer.says,
  },
  {
    id: 'retry',
    program: 'retry',
    route: 'POST /v1/files/{key}/retry',
    title: 'Retry',
    done: (_, values) => `${ofFile(values)} is tried again.`,
  },
  {
    id: 'retry-all',
    program: 'retry',
    route: 'POST /v1/retry',
    title: 'Retry failed files',
    confirm: 'Retry',
    query: ['cause'],
    fields: () => [{
      name: 'cause',
      label: 'Those that failed for',
      type: 'choice',
      options: causes.map(cause => [cause, cause === '' ? 'any cause' : cause]),
    }],
    done: answer => `${plural(answer.retried, 'file is', 'files are')} tried again at ${answer.node}.`,
  },
  {
    id: 'policy-set',
    program: 'policy set',
    route: 'PUT /v1/buckets/{bucket}/policy',
    title: 'Set the policy',
    confirm: 'Set',
    query: ['prune'],
    fields: given => [
      ...(given.bucket ? [] : [{ name: 'bucket', label: 'Bucket', required: true, help: 'Hex, such as 0x02.' }]),
      {
        name: 'kind',
        label: 'This node wants',
        type: 'choice',
        value: given.kind,
        options: [['everything-except', 'everything except'], ['nothing-except', 'nothing except']],
      },
      {
        name: 'filters',
        label: 'Filters, one a line',
        type: 'lines',
        value: given.filters?.join('\n'),
        help: 'prefix:utf8:photos/ or exact:hex:00ff',
      },
      { name: 'prune', label: 'Delete here what is not wanted any more, but never a last copy', type: 'check' },
    ],
    body: values => ({ kind: values.kind, filters: values.filters }),
    done: answer => `The policy of ${short(answer.bucket)} is set${answer.pending ? '; it is still being applied' : ''}.`,
  },
  {
    id: 'policy-delete',
    program: 'policy delete',
    route: 'DELETE /v1/buckets/{bucket}/policy',
    title: 'Delete the policy',
    destroys: true,
    lead: given => `This node wants every file of ${short(given.bucket)} again, and downloads what it lacks.`,
    done: answer => `This node wants everything of ${short(answer.bucket)} again.`,
  },
  {
    id: 'limits-set',
    program: 'limits set',
    route: 'PUT /v1/limits',
    title: 'Set limits',
    confirm: 'Set',
    fields: given => [
      { name: 'download', label: 'Download', value: given.download, help: 'A rate such as 50MiB/s, unlimited, or a timetable: 50MiB/s; mon-fri 08:00-18:00 10MiB/s' },
      { name: 'upload', label: 'Upload', value: given.upload, help: 'Likewise.' },
      { name: 'perSource', label: 'Per source, one a line', type: 'lines', value: perSourceText(given.perSource), help: 'node b = 5MB/s; * stands for all others.' },
      { name: 'requests', label: 'Requests in flight', type: 'number', value: given.requests },
      { name: 'requestsPerSource', label: 'Requests in flight at one source', type: 'number', value: given.requestsPerSource },
      { name: 'connections', label: 'Sources asked at once', type: 'number', value: given.connections },
    ],
    lead: 'What is left empty is as configured.',
    body: limitsOf,
    done: answer => `The limits of ${answer.node} are set.`,
  },
  {
    id: 'limits-delete',
    program: 'limits delete',
    route: 'DELETE /v1/limits',
    title: 'Delete limits',
    destroys: true,
    lead: 'What was set at run time is forgotten; the node’s configuration applies again.',
    done: answer => `The configured limits of ${answer.node} apply.`,
  },
  {
    id: 'scrub',
    program: 'scrub',
    route: 'POST /v1/scrub',
    title: 'Scrub',
    confirm: 'Verify',
    fields: given => given.key ? [] : [{ name: 'bucket', label: 'Bucket', help: 'Empty: every content of this node, at full speed.' }],
    body: values => values.key ? { keys: [values.key] } : values.bucket ? { bucket: values.bucket } : undefined,
    done: () => 'It is being verified.',
  },
  {
    id: 'scrub-cancel',
    program: 'scrub',
    route: 'DELETE /v1/scrub',
    title: 'Cancel the scrub',
    destroys: true,
    lead: 'The pass under way ends where it is; the next one begins a period later.',
    done: () => 'The scrub has ended.',
  },
  {
    id: 'orphans-discard',
    program: 'orphans discard',
    route: 'DELETE /v1/orphans',
    title: 'Discard orphans',
    destroys: true,
    lead: 'Every content that no file refers to is deleted for good. If they are many, the catalog may be the wrong one: look at their files first.',
    done: answer => `${plural(answer.count, 'content')} deleted, ${bytes(answer.bytes)}.`,
  },
  ...exportActions,
  ...loadActions,
  ...neighbourActions,
  ...steeringActions,
  ...tokenActions,
  ...trustActions,
  {
    id: 'node-remove',
    program: 'node remove',
    route: 'DELETE /v1/nodes/{node}',
    title: 'Remove the node',
    destroys: true,
    lead: given => `${given.node} leaves the cluster with its replicas, policies, limits and intents. What only it had stored is lost to the cluster. Its data folder is not touched.`,
    done: answer => `${answer.node} is removed with ${plural(answer.replicas, 'replica')}; ${plural(answer.onlyCopies, 'file was', 'files were')} nowhere else.`,
  },
];

function perSourceText(perSource) {
  return Object.entries(perSource ?? {}).map(([name, rate]) => `${name} = ${rate}`).join('\n');
}

function limitsOf(values) {
  const limits = {};
  for (const name of ['download', 'upload']) if (values[name]) limits[name] = values[name];
  for (const name of ['requests', 'requestsPerSource', 'connections']) if (values[name]) limits[name] = Number(values[name]);
  if (values.perSource.length > 0) limits.perSource = Object.fromEntries(values.perSource.map(line => line.split('=').map(part => part.trim())));
  return limits;
}

export function act(id, given) {
  return run(actions.find(action => action.id === id), given);
}

// given(): what is known when it is pressed.
export function actionButton(id, given = () => ({}), then = () => {}) {
  const action = actions.find(one => one.id === id);
  const press = async () => (await run(action, given())) && then();
  return button(action.title, press, { 'data-action': id, class: action.destroys ? 'danger' : null });
}

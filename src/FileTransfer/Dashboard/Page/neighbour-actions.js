// What can be done about other clusters: those that this one pulls from, and those that it ships to. As actions.js says them.
import { number, plural } from './format.js';

export const neighbourActions = [
  {
    id: 'sync-compare',
    program: 'sync compare',
    route: 'POST /v1/sync/{upstream}/compare',
    title: 'Compare',
    done: found,
  },
  {
    id: 'sync-resync',
    program: 'sync resync',
    route: 'POST /v1/sync/{upstream}/resync',
    title: 'Resync',
    destroys: true,
    lead: given => `Every file of ${given.upstream} is asked for anew, whatever the digests say. Contents that are held are not fetched again.`,
    done: found,
  },
  {
    id: 'sync-accept',
    program: 'sync accept',
    route: 'POST /v1/sync/{upstream}/accept',
    title: 'Accept what it lacks',
    destroys: true,
    lead: given => `Files that ${given.upstream} does not have any more, and nobody else claims, are removed from every node. That cannot be undone.`,
    done: answer => `${plural(answer.files, 'file')} of ${answer.upstream} decided, ${number(answer.removed)} of them removed.`,
  },
  {
    id: 'sync-keep',
    program: 'sync keep',
    route: 'POST /v1/sync/{upstream}/keep',
    title: 'Keep as own',
    done: answer => `${plural(answer.files, 'file')} of ${answer.upstream} are this cluster’s own now.`,
  },
  {
    id: 'follower-add',
    program: 'followers add',
    route: 'PUT /v1/followers/{name}',
    title: 'Ship to a follower',
    confirm: 'Ship',
    fields: () => [
      { name: 'name', label: 'Name', required: true, help: 'What this cluster calls it. One that is known is shipped to in this way from now on.' },
      { name: 'url', label: 'URL', required: true, help: 'Where any node of it answers. It has to accept this cluster.' },
      { name: 'token', label: 'A token that it knows', type: 'password', help: 'Empty: none is shown to it.' },
      { name: 'buckets', label: 'Buckets, one a line', type: 'lines', help: 'Hex, such as 0x02. Empty: all of them.' },
      { name: 'paused', label: 'Ship nothing yet', type: 'check' },
    ],
    body: values => ({ url: values.url, token: values.token || undefined, buckets: values.buckets, paused: values.paused }),
    done: answer => `${answer.name} is shipped to.`,
  },
  {
    id: 'follower-remove',
    program: 'followers remove',
    route: 'DELETE /v1/followers/{name}',
    title: 'Remove the follower',
    destroys: true,
    lead: given => `Nothing more is shipped to ${given.name}. What it has it keeps.`,
    done: answer => `${answer.name} is shipped to no more.`,
  },
];

function found(answer) {
  return `${plural(answer.missing, 'file was', 'files were')} missing, ${number(answer.extra)} are kept that it does not have any more.`;
}

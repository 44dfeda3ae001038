// What can be done about loads. As actions.js says them.
import { number, plural } from './format.js';

export const loadActions = [
  {
    id: 'load',
    program: 'load',
    route: 'PUT /v1/loads/{name}',
    title: 'Load a set of files',
    confirm: 'Load',
    fields: () => [
      { name: 'name', label: 'Name', required: true, help: 'A newer load takes the place of the one under its name.' },
      { name: 'files', label: 'Files, one a line', type: 'lines', required: true, help: 'label = file key' },
      { name: 'deadline', label: 'Deadline', required: true, value: '00:10:00', help: 'hh:mm:ss from now.' },
      { name: 'rounds', label: 'Rounds', type: 'number', help: 'Empty: until the deadline.' },
    ],
    body: values => ({
      files: Object.fromEntries(values.files.map(line => line.split('=').map(part => part.trim()))),
      deadline: values.deadline,
      rounds: values.rounds ? Number(values.rounds) : undefined,
    }),
    done: answer => answer.says,
  },
  {
    id: 'adopt',
    program: 'adopt',
    route: 'POST /v1/sources/{name}/adopt',
    title: 'Adopt a share',
    confirm: 'Adopt',
    query: ['bucket', 'readd'],
    fields: () => [
      { name: 'name', label: 'Share', required: true, help: 'As FileTransfer:Sources names it. Each file that it lists becomes one of the cluster, and is downloaded here.' },
      { name: 'bucket', label: 'Bucket', help: 'Hex, such as 0x02. Empty: all of them.' },
      { name: 'readd', label: 'Add files again that were removed', type: 'check' },
    ],
    done: answer => `${plural(answer.files, 'file')} of ${answer.source}, ${number(answer.wanted)} of them to be downloaded; ${number(answer.refused)} were not proven.`,
  },
  {
    id: 'load-delete',
    program: 'loads delete',
    route: 'DELETE /v1/loads/{name}',
    title: 'End the load',
    destroys: true,
    lead: given => `What ${given.name} has stored stays. Downloads that nobody else wants end, and what has come of them is deleted.`,
    done: answer => answer.says,
  },
];

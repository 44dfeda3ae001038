// What can be done about shares that this node writes. As actions.js says them.
export const exportActions = [
  {
    id: 'export',
    program: 'export',
    route: 'POST /v1/exports',
    title: 'Write a share',
    confirm: 'Write',
    fields: () => [
      { name: 'name', label: 'Name', required: true, help: 'The folder below FileTransfer:ExportFolder. What is there already is kept.' },
      { name: 'bucket', label: 'Bucket', help: 'Hex, such as 0x02. Empty: all of them.' },
      { name: 'location', label: 'Location begins with' },
      { name: 'verify', label: 'Read and prove what is there already', type: 'check' },
      { name: 'prune', label: 'Take out what the cluster has removed', type: 'check' },
      { name: 'hold', label: 'Keep that for', help: 'd.hh:mm:ss after an export found it removed. Empty: not at all.' },
    ],
    body: values => ({
      name: values.name,
      bucket: values.bucket || undefined,
      location: values.location || undefined,
      verify: values.verify,
      prune: values.prune,
      hold: values.hold || undefined,
    }),
    done: answer => `${answer.name} is being written to ${answer.folder}.`,
  },
  {
    id: 'export-end',
    program: 'export',
    route: 'DELETE /v1/exports/{name}',
    title: 'End the export',
    destroys: true,
    lead: given => `What ${given.name} has written stays, and the next one goes on with it.`,
    done: answer => `${answer.name} is ${answer.state}.`,
  },
];

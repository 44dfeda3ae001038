// What can be done about tokens. As actions.js says them.

export const tokenActions = [
  {
    id: 'token-create',
    program: 'token create',
    route: 'POST /v1/tokens',
    title: 'Make a token',
    confirm: 'Make',
    fields: () => [
      { name: 'name', label: 'Name', required: true, help: 'As the log and the audit log call who has it.' },
      { name: 'scopes', label: 'Scopes, one a line', type: 'lines', required: true, value: 'read', help: 'read, write, node, admin' },
      { name: 'buckets', label: 'Buckets, one a line', type: 'lines', help: 'Hex, such as 0x02. Empty: all of them.' },
      { name: 'owners', label: 'Owners, one a line', type: 'lines', help: 'Hex, such as 0x01. Empty: all of them.' },
      { name: 'notAfter', label: 'Valid until', help: 'Such as 2030-01-31T12:00:00Z. Empty: until it is revoked.' },
    ],
    body: values => ({ name: values.name, scopes: values.scopes, buckets: values.buckets, owners: values.owners, notAfter: values.notAfter || undefined }),
    done: answer => {
      document.dispatchEvent(new CustomEvent('token-made', { detail: answer }));
      return `The token ${answer.name} is made; copy it now.`;
    },
  },
  {
    id: 'token-revoke',
    program: 'token revoke',
    route: 'DELETE /v1/tokens/{name}',
    title: 'Revoke',
    destroys: true,
    lead: given => `Nobody gets in with ${given.name} any more, and its requests under way are cut off.`,
    done: (_, values) => `${values.name} is revoked.`,
  },
];

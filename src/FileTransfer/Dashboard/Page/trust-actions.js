// What can be done about the keys of other nodes. As actions.js says them.

const ofCluster = given => (given.cluster ? ` of cluster ${given.cluster}` : '');

export const trustActions = [
  {
    id: 'trust-add',
    program: 'trust add',
    route: 'PUT /v1/trust/{node}',
    title: 'Trust a node',
    confirm: 'Trust',
    fields: given => [
      { name: 'node', label: 'Node', required: true, value: given.node },
      { name: 'cluster', label: 'Cluster', value: given.cluster, help: 'Empty: the node of this name in any cluster.' },
      { name: 'publicKey', label: 'Public key', required: true, value: given.publicKey, help: 'As filetransfer identity show prints it there.' },
    ],
    body: values => ({ publicKey: values.publicKey, cluster: values.cluster || undefined }),
    done: (_, values) => `${values.node} is trusted by this key.`,
  },
  {
    id: 'trust-remove',
    program: 'trust remove',
    route: 'DELETE /v1/trust/{node}',
    title: 'Revoke',
    destroys: true,
    query: ['cluster'],
    lead: given => `Nothing is asked of ${given.node}${ofCluster(given)} any more, and its requests under way are cut off.`,
    done: (_, values) => `${values.node} is not trusted any more.`,
  },
];

// Puts a file, gets it, lists it and removes it at a node, with the types that docs/openapi.json gives.
import createClient from 'openapi-fetch';
import type { components, paths } from './openapi.js';

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] });
const [owner, bucket, location] = ['0x01', '0x0a91', 'openapi/client'];
const content = new TextEncoder().encode(`a content ${crypto.randomUUID()}`);

function right<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function listed(): Promise<components['schemas']['FileResource'][]> {
  return right(await client.GET('/v1/files', { params: { query: { bucket, limit: 100 } } })).files;
}

const put = right(await client.POST('/v1/files', {
  params: { query: { owner, bucket, location } },
  headers: { 'Content-Type': 'application/octet-stream' },
  body: '',
  bodySerializer: () => content,
}));
const params = { path: { key: put.key } };

const got = right(await client.GET('/v1/files/{key}/content', { params, parseAs: 'arrayBuffer' }));
if (new TextDecoder().decode(got) !== new TextDecoder().decode(content)) throw new Error('Another content came back.');

if (!(await listed()).some(file => file.key === put.key && file.size === content.length)) throw new Error('It is not listed.');

await client.DELETE('/v1/files/{key}', { params }).then(({ error, response }) => {
  if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(error)}`);
});
const gone = await client.GET('/v1/files/{key}/content', { params });
if (gone.response.status !== 404 || !gone.error?.type?.endsWith(':file-removed')) throw new Error('It is not removed.');
console.log('put, get, list, remove: as described');

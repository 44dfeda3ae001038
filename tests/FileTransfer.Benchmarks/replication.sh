#!/usr/bin/env bash
# Measures on this (Linux) machine how fast an empty follower gets what the leader has, next to `rsync --fsync` of the same
# files in the same run, and how much memory both nodes take while many clients download at once.
#
#   bash tests/FileTransfer.Benchmarks/replication.sh
#
# Environment: SMALL_FILES (10000) of SMALL_BYTES (8192), one file of LARGE_MEGABYTES (1024), CLIENTS (16), ROUNDS (3).
# A follower's time runs from the moment it is present in the cluster to its last file, by its own log. What both
# programs read is in the page cache, and what they write is on the disk when the time ends.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."

SMALL_FILES="${SMALL_FILES:-10000}"
SMALL_BYTES="${SMALL_BYTES:-8192}"
LARGE_MEGABYTES="${LARGE_MEGABYTES:-1024}"
CLIENTS="${CLIENTS:-16}"
ROUNDS="${ROUNDS:-3}"

root="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-replication.XXXXXX")"
chmod 711 "$root" # the database may run as another user
work="$root"
program="$root/program/filetransfer"
mkdir -m 1777 "$root/tmp"
export TMPDIR="$root/tmp" FILETRANSFER_OWNER=0x6f776e6572 FILETRANSFER_BUCKET=0x6265
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
. deploy/postgres-binaries.sh
. deploy/cluster.sh

clean_up() {
  trap '' INT TERM HUP
  stop_all
  rm -rf -- "$root"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

ensure_rsync() {
  command -v rsync >/dev/null || as_root apt-get install -y -q rsync >/dev/null || true
  command -v rsync >/dev/null && rsync --help | grep -q -- --fsync
}

# A database and a leader that has every file of the folder.
start_leader() { # name of the cluster, folder
  local started
  work="$root/$1"
  mkdir "$work"
  chmod 711 "$work"
  start_database ""
  start_node a
  started="$(now_ms)"
  "$program" put --url "$(url a)" --recursive "$2" >"$work/put" || fail "put ended with $?"
  echo "put at the leader: $(wc -l <"$work/put") files in $(seconds_since "$started")"
}

holds_all() { # node, files
  http_body a /v1/nodes | tr '{' '\n' | grep "^\"node\":\"$1\"" | grep -q "\"stored\":$2,"
}

# The time of a line of a node's log in milliseconds.
logged_at() { date -d "$(cut -d ' ' -f 1,2)" +%s%3N; }

# Starts an empty follower and adds to the list how many milliseconds it worked until it had everything.
replicate() { # name, files, list
  local began ended
  sync
  start_node "$1"
  wait_for 900 "$1 to hold $2 files" holds_all "$1" "$2"
  wait_for 10 "the log of $1" follower_logged_all "$1" "$2"
  began="$(grep -m 1 "Node $1 is present at" "$work/$1/log" | logged_at)"
  ended="$(grep ': Stored 0x' "$work/$1/log" | tail -n 1 | logged_at)"
  echo $((ended - began)) >>"$3"
}

follower_logged_all() { [ "$(grep -c ': Stored 0x' "$work/$1/log")" -eq "$2" ]; }

stop_follower() { # name
  kill -TERM "$(pid_of "$1")"
  reap "$(pid_of "$1")"
  rm -rf -- "$work/$1/data"
}

copy_with_rsync() { # folder, list
  local started
  sync
  started="$(now_ms)"
  rsync --archive --fsync "$1/" "$root/copy/" || fail "rsync ended with $?"
  echo $(($(now_ms) - started)) >>"$2"
  rm -rf -- "$root/copy"
}

median() { sort -n "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

# Adds a line to the table: medians, and how they compare.
row() { # what, list of this program, list of rsync
  local mine theirs="" ratio=""
  mine="$(median "$2")"
  if [ -s "$3" ]; then
    theirs="$(median "$3")"
    ratio="$(awk -v mine="$mine" -v theirs="$theirs" 'BEGIN { printf "%.2f", mine / theirs }')"
    theirs="$(awk -v ms="$theirs" 'BEGIN { printf "%.2f s", ms / 1000 }')"
  fi
  printf '| %-32s | %12s | %13s | %5s |\n' "$1" "$(awk -v ms="$mine" 'BEGIN { printf "%.2f s", ms / 1000 }')" \
    "${theirs:-not here}" "${ratio:--}" >>"$root/table"
}

# Both programs by turns, so that what else the machine does meets both; the last follower goes on running.
compare() { # name, folder, what
  local round files
  start_leader "$1" "$2"
  files="$(wc -l <"$work/put")"
  for ((round = 1; round <= ROUNDS; round++)); do
    replicate "b$round" "$files" "$root/$1.filetransfer"
    if "$has_rsync"; then copy_with_rsync "$2" "$root/$1.rsync"; fi
    if [ "$round" -lt "$ROUNDS" ]; then stop_follower "b$round"; fi
  done
  row "$3" "$root/$1.filetransfer" "$root/$1.rsync"
  echo "$3: $(paste -sd ' ' "$root/$1.filetransfer") ms; rsync: $(paste -sd ' ' "$root/$1.rsync" 2>/dev/null) ms"
}

# Downloads a whole file and drops it.
download() { # node, file key, bytes
  local heads
  heads=$(($(request GET "$1" "/v1/files/$2/content" | wc -c) - $3))
  [ "$heads" -gt 0 ] && [ "$heads" -lt 2000 ]
}

download_at_once() { # node, file key, bytes
  local client clients=()
  for ((client = 1; client <= CLIENTS; client++)); do
    download "$@" &
    clients+=($!)
  done
  for client in "${clients[@]}"; do wait "$client" || fail "a client of node $1 did not get the whole file"; done
}

measure_memory() { # node, name for people
  local key started
  key="$(cut -d ' ' -f 1 "$work/put")"
  started="$(now_ms)"
  download_at_once "$1" "$key" $((LARGE_MEGABYTES * 1024 * 1024))
  printf '%s, %d clients at once: %s for all, peak resident memory since its start %s\n' \
    "$2" "$CLIENTS" "$(seconds_since "$started")" "$(peak_memory "$1")" >>"$root/memory"
}

ensure_postgres_binaries || { explain_missing_postgres && exit 1; }
has_rsync=true
ensure_rsync || { has_rsync=false && echo "rsync 3.2.4 or newer is not here and could not be installed: measured without it."; }
publish_program

mkdir "$root/small" "$root/large"
head -c $((SMALL_FILES * SMALL_BYTES)) /dev/urandom | split -b "$SMALL_BYTES" -a 6 -d - "$root/small/"
head -c $((LARGE_MEGABYTES * 1024 * 1024)) /dev/urandom >"$root/large/file"

compare many "$root/small" "$SMALL_FILES files of $SMALL_BYTES bytes"
stop_all
compare one "$root/large" "1 file of $LARGE_MEGABYTES MiB"
measure_memory a leader
measure_memory "b$ROUNDS" follower

printf '\nMedians of %d rounds, %d cores\n' "$ROUNDS" "$(nproc)"
printf '| %-32s | %12s | %13s | %5s |\n' "" FileTransfer "rsync --fsync" ratio
printf '| %s | %s | %s | %s |\n' "$(printf -- '-%.0s' {1..32})" ------------ ------------- -----
cat "$root/table"
echo
cat "$root/memory"

#!/usr/bin/env bash
# Shows what FileTransfer does, on this machine: a database, a leader and two followers as separate processes keep
# the same files, also when files are removed while they are being downloaded and when the leader is killed.
# Needs the .NET 10 SDK; PostgreSQL's programs are installed when they are missing and that is possible.
#
#   bash deploy/demo.sh          exits 0 only if everything held; leaves nothing behind
#   bash deploy/demo.sh --keep   leaves the cluster running, and says how to use it and how to stop it
#   . "$(bash deploy/demo.sh --start)"   only starts the cluster, for the shell that runs this: `filetransfer` is on its PATH then
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

keep=false start=false
case "${1:-}" in
  "") ;;
  --keep) keep=true ;;
  --start) keep=true start=true ;;
  *) echo "Usage: bash deploy/demo.sh [--keep | --start]" >&2 && exit 2 ;;
esac

MINIMUM_FILES=300
MINIMUM_BYTES=100000000
BIG_FILE_BYTES=210000000
REMOVALS=3
DISK_MEGABYTES=5000
if "$start"; then DISK_MEGABYTES=1000; fi

work="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-demo.XXXXXX")"
chmod 711 "$work" # the database may run as another user
mkdir -m 1777 "$work/tmp"
export TMPDIR="$work/tmp" # a killed .NET process leaves its diagnostic sockets behind
program="$work/program/filetransfer"
export FILETRANSFER_OWNER=0x6f776e6572 FILETRANSFER_BUCKET=0x64656d6f
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
. deploy/postgres-binaries.sh
. deploy/cluster.sh

finished=false
database_from=programs
clean_up() {
  trap '' INT TERM HUP # what is begun here is finished
  if "$finished" && "$keep"; then return; fi
  stop_all
  rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

chapter() { printf '\n── %s\n' "$*"; }

measured() { printf '%-64s %s\n' "$1" "$2" >>"$work/measured"; }

# ── set-up

check_machine() {
  dotnet --version >/dev/null 2>&1 ||
    fail "the .NET 10 SDK is not here. Install it (https://dotnet.microsoft.com/download/dotnet/10.0) and run this again"
  local total free floor
  read -r total free < <(df -Pm "$work" | awk 'NR == 2 { print $2, $4 }')
  floor=$((total / 50 > 1024 ? total / 50 : 1024)) # the nodes leave this much free
  [ "$free" -ge $((floor + DISK_MEGABYTES)) ] ||
    fail "$work has $free MB free, but $((floor + DISK_MEGABYTES)) MB are needed. Set TMPDIR to a folder on a larger disk"
}

# Runs a command, and says every five seconds that it is still at work.
while_waiting() { # command
  local started="$SECONDS" told status=0
  (while sleep 5 && kill -0 "$$" 2>/dev/null; do echo "  … $((SECONDS - started)) s"; done) &
  told=$!
  "$@" || status=$?
  kill "$told" 2>/dev/null || true
  wait "$told" 2>/dev/null || true
  return "$status"
}

prepare_postgres() {
  ensure_postgres_binaries && return
  database_from=docker
  if docker info >/dev/null 2>&1; then return; fi
  explain_missing_postgres
  fail "neither PostgreSQL nor a running Docker engine is here"
}

publish() {
  local started
  started="$(now_ms)"
  echo "The program is built and compiled; this takes some minutes."
  while_waiting publish_program
  measured "program published" "$(seconds_since "$started")"
}

# Copies of the SDK's files in $work/files, large and small ones, at least MINIMUM_FILES and MINIMUM_BYTES together;
# and $work/big.
choose_files() {
  local sdk version
  version="$(dotnet --version)"
  sdk="$(dotnet --list-sdks | awk -v version="$version" '$1 == version { sub(/^[^[]*\[/, ""); sub(/\]$/, ""); print }')/$version"
  (cd "$sdk" && find . -type f -size +0c -exec wc -c {} + | grep -v ' total$' | sort -k 2) |
    awk -v files="$MINIMUM_FILES" -v bytes="$MINIMUM_BYTES" '
      (count < files || sum < bytes) && ($1 >= 65536 || NR % 8 == 0) { count++; sum += $1; sub(/^ *[0-9]+ \.\//, ""); print }' >"$work/list"
  mkdir "$work/files"
  tar -C "$sdk" -cf - -T "$work/list" | tar -C "$work/files" -xf -
  file_count="$(find "$work/files" -type f | wc -l | tr -d ' ')"
  file_bytes="$(find "$work/files" -type f -exec cat {} + | wc -c | tr -d ' ')"
  if [ "$file_count" -lt "$MINIMUM_FILES" ] || [ "$file_bytes" -lt "$MINIMUM_BYTES" ]; then
    fail "the SDK in $sdk has only $file_count files and $file_bytes bytes"
  fi
  { find "$sdk" -type f -name '*.dll' -exec cat {} + 2>/dev/null || true; } | head -c "$BIG_FILE_BYTES" >"$work/big"
  [ "$(wc -c <"$work/big")" -eq "$BIG_FILE_BYTES" ] || fail "the SDK in $sdk has too few bytes for one big file"
}

# ── the program, as a person uses it

put() { # URL, options and paths: one line "KEY PATH" per file to standard output and $work/all
  local target="$1"
  shift
  "$program" put --url "$target" "$@" >"$work/put" || fail "put ended with $?"
  cat "$work/put" >>"$work/all"
}

key_of_put() { cut -d ' ' -f 1 "$work/put"; }

wait_until_all_hold_all() { # URL
  "$program" status --url "$1" --wait 120s >/dev/null || fail "the followers did not get everything"
}

# ── the story

put_many_files() {
  local started
  chapter "$file_count files ($((file_bytes / 1000000)) MB) of the SDK are put at the leader"
  started="$(now_ms)"
  put "$(url a)" --recursive "$work/files/" --prefix sdk/
  [ "$(wc -l <"$work/put" | tr -d ' ')" -eq "$file_count" ] || fail "put did not name a key for every file"
  measured "$file_count files, $((file_bytes / 1000000)) MB, put" "$(seconds_since "$started")"
  wait_until_all_hold_all "$(url a)"
  measured "  … and on both followers, proven" "$(seconds_since "$started")"
  echo "Both followers hold all of them after $(seconds_since "$started")."
}

put_big_file() {
  local started key node
  chapter "One file of $((BIG_FILE_BYTES / 1000000)) MB"
  started="$(now_ms)"
  put "$(url a)" "$work/big"
  key="$(key_of_put)"
  measured "one file of $((BIG_FILE_BYTES / 1000000)) MB put" "$(seconds_since "$started")"
  for node in b c; do wait_for 60 "$node to store the big file" has_replica a "$key" "$node" stored; done
  measured "  … and on both followers, proven" "$(seconds_since "$started")"
  echo "Both followers hold it after $(seconds_since "$started")."
}

# Puts files together and removes each as soon as a follower has some of it. Counts in `caught`, leaves out those that
# both followers had whole before that was seen.
put_and_remove() { # round, bytes that a follower must have at least
  local folder="$work/round-$1" number put_pid keys=() left key deadline
  mkdir "$folder"
  for ((number = 1; number <= REMOVALS; number++)); do
    { echo "$1 $number" && cat "$work/big"; } >"$folder/$number"
    keys+=("$("$program" key --location "round-$1/$number" "$folder/$number")")
  done
  "$program" put --url "$(url a)" --recursive "$folder/" --prefix "round-$1/" --parallel "$REMOVALS" >"$work/put" 2>&1 &
  put_pid=$!
  children+=("$put_pid")
  deadline=$((SECONDS + 60))
  while [ "${#keys[@]}" -gt 0 ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "no follower began to download ${keys[*]}"
    left=()
    for key in "${keys[@]}"; do
      remove_if_downloading "$key" "$2" || left+=("$key")
    done
    keys=(${left[@]+"${left[@]}"})
  done
  reap "$put_pid"
  rm -rf -- "$folder"
}

remove_if_downloading() { # key, bytes that a follower must have at least; 1: too early
  local seen status
  replicas a "$1" >"$work/replicas"
  seen="$(awk -v least="$2" '$1 != "a" && $2 == "downloading" && $3 >= least' "$work/replicas")"
  [ -n "$seen" ] || [ "$(grep -c '^[bc] stored ' "$work/replicas")" -eq 2 ] || return 1
  status="$(http_status DELETE a "/v1/files/$1?now=true")" # nothing is to be kept for a restore
  [ "$status" = 204 ] || fail "removing $1 answered $status"
  echo "$1" >>"$work/removed"
  [ -n "$seen" ] || return 0
  caught=$((caught + 1))
  echo "Removed while $(awk -v size="$BIG_FILE_BYTES" '{
    had = $3 > 0 ? sprintf("had %d %% of it", $3 * 100 / size) : "had just begun"
    printf "%s%s %s", (NR > 1 ? " and " : ""), $1, had
  }' <<<"$seen")."
}

# Not stored anywhere, not served by anyone, nothing of it on any disk.
is_gone() { # key
  local node
  for node in a b c; do
    if is_alive "$(pid_of "$node")"; then
      if replicas "$node" "$1" | grep -q ' stored '; then return 1; fi
      [ "$(http_status GET "$node" "/download/$1")" = 404 ] || return 1
    fi
    [ -z "$(find "$work/$node/data" -name "*${1#0x}*" -print -quit 2>/dev/null)" ] || return 1
  done
  # The contents: what is left above BIG_FILE_BYTES is the one file that stays.
  [ "$(find "$work"/[abc]/data -type f -size +"$((BIG_FILE_BYTES / 1024))"k ! -name '*.hashes' 2>/dev/null | wc -l)" -le 3 ]
}

stays_gone() { # key, seconds
  local until=$((SECONDS + $2))
  while [ "$SECONDS" -lt "$until" ]; do
    is_gone "$1" || fail "$1 was removed and came back"
    sleep 0.2
  done
}

remove_files_during_download() {
  local caught=0 round=1 key
  chapter "Files are removed while the followers download them"
  put_and_remove 1 1
  while [ "$caught" -lt "$REMOVALS" ]; do
    [ "$round" -lt 4 ] || fail "the followers are done before anyone can remove a file"
    round=$((round + 1))
    put_and_remove "$round" 0 # how far a download is, is told every second: too late on this machine
  done
  while read -r key; do wait_for 15 "$key to be gone from every node" is_gone "$key"; done <"$work/removed"
  while read -r key; do stays_gone "$key" 2; done <"$work/removed"
  echo "All are gone from every node and stay gone."
  measured "files removed in the middle of their download, stayed removed" "$caught of $caught"
}

new_leader() {
  leader="$(leader_at b)"
  [ -n "$leader" ] && [ "$leader" != a ] && [ "$(leader_at c)" = "$leader" ]
}

kill_leader() {
  local started key
  chapter "The leader is killed (kill -9)"
  measured "peak memory of the leader a" "$(peak_memory a)"
  started="$(now_ms)"
  kill -KILL "$(pid_of a)"
  reap "$(pid_of a)"
  wait_for 20 "a follower to take over" new_leader
  measured "takeover after kill -9" "$(seconds_since "$started")"
  echo "Node $leader leads after $(seconds_since "$started")."

  started="$(now_ms)"
  echo "put after the takeover" >"$work/late"
  put "$(url "$leader")" "$work/late"
  key="$(key_of_put)"
  for node in b c; do wait_for 30 "$node to store the late file" has_replica "$leader" "$key" "$node" stored; done
  measured "one more file put at the new leader, on both nodes" "$(seconds_since "$started")"

  started="$(now_ms)"
  start_node a
  wait_for 30 "node a to catch up" has_replica "$leader" "$key" a stored
  [ "$(leader_at a)" = "$leader" ] || fail "node a came back and leads beside $leader"
  measured "killed node back as a follower, caught up" "$(seconds_since "$started")"
  echo "Node a is back as a follower and has what it missed."
}

# Every file from every node, proven against its key by the program, and compared with what was put.
verify_everything() {
  local started node keys count original copy
  chapter "Every file is fetched from every node and compared"
  started="$(now_ms)"
  keys="$(cut -d ' ' -f 1 "$work/all")"
  count="$(wc -l <<<"$keys" | tr -d ' ')"
  for node in a b c; do
    mkdir "$work/copies"
    # shellcheck disable=SC2086 # one word per key
    "$program" get $keys --url "$(url "$node")" --output "$work/copies" >"$work/fetched" || fail "get from node $node ended with $?"
    cmp -s <(cut -d ' ' -f 1 "$work/fetched") - <<<"$keys" || fail "node $node does not give back every file"
    while IFS=$'\t' read -r original copy; do
      cmp "$original" "$copy" || fail "node $node does not give back what was put"
    done < <(paste <(cut -d ' ' -f 2- "$work/all") <(cut -d ' ' -f 2- "$work/fetched"))
    rm -rf -- "$work/copies"
    echo "Node $node: $count files are what was put."
  done
  measured "$count files checked on each of 3 nodes" "$(seconds_since "$started")"
  while read -r key; do is_gone "$key" || fail "$key was removed and came back"; done <"$work/removed"
}

report() {
  local node
  for node in b c; do measured "peak memory of node $node" "$(peak_memory "$node")"; done
  measured "all of this" "$SECONDS s"
  chapter "Measured on this machine"
  cat "$work/measured"
  printf '\nEverything held.\n'
}

# Writes $work/env, which a shell reads to use the cluster, and $work/stop.sh.
leave_running() {
  rm -rf -- "$work/build"
  cat >"$work/env" <<ENV
export FILETRANSFER_DEMO='$work' PATH='$work/program':"\$PATH"
export NODE_A=$(url a) NODE_B=$(url b) NODE_C=$(url c)
export FILETRANSFER_URL="\$NODE_A,\$NODE_B,\$NODE_C"
ENV
  cat >"$work/stop.sh" <<STOP
#!/usr/bin/env bash
# Stops the cluster in $work and removes its files. A process is stopped only while it still is one of the cluster's.
is_ours() { { cat "/proc/\$1/cmdline" 2>/dev/null || ps -p "\$1" -o command=; } | grep -qaF -- '$work/'; }
stop() {
  local pid tries
  for pid in "\$@"; do if is_ours "\$pid"; then kill "\$pid"; fi; done
  for pid in "\$@"; do
    for ((tries = 0; tries < 300; tries++)); do is_ours "\$pid" || break; sleep 0.1; done
  done
}
stop $(pid_of a) $(pid_of b) $(pid_of c)
$(if [ -n "$container" ]; then echo "docker rm --force --volumes $container"; else echo "stop $database_pid"; fi)
rm -rf -- '$work'
STOP
  printf '\nLeft running: a %s   b %s   c %s\n' "$(url a)" "$(url b)" "$(url c)"
  printf 'To use it in this shell:                  . %s\n' "$work/env"
  printf 'To stop it and remove its files:          bash %s\n' "$work/stop.sh"
}

start_cluster() {
  chapter "Set-up"
  check_machine
  prepare_postgres
  publish
  start_database "$database_from"
  for node in a b c; do start_node "$node"; done
  [ "$(leader_at b)" = a ] || fail "node a was alone first and does not lead"
  echo "Node a leads, b and c follow."
}

show_everything() {
  choose_files
  put_many_files
  put_big_file
  remove_files_during_download
  kill_leader
  verify_everything
  report
}

if "$start"; then
  # Standard output has the name of one file, which the caller reads.
  { start_cluster; leave_running; } >&2
  echo "$work/env"
else
  start_cluster
  show_everything
  if "$keep"; then leave_running; fi
fi
finished=true

# shellcheck shell=bash
# Sourced by compare.sh: this build beside the build of another revision, by turns on the same files. Each has a cluster of its own, over a
# PostgreSQL of its own; the one that is not measured rests.
: "${root:?}" "${work:?}" "${program:?}" "${rounds:?}"

build="" # the one in use: baseline or now

publish_baseline() { # revision
  mkdir "$root/source"
  git archive "$1" | tar -x -C "$root/source" || fail "$1 is not a revision of this repository"
  (cd "$root/source" && work="$root/source" program="$root/baseline/filetransfer" publish_program)
  declare -gA programs=([baseline]="$root/baseline/filetransfer" [now]="$program")
}

use() { # build
  build="$1"
  program="${programs[$build]}"
  work="$root/cluster-$build"
  connection="${connections[$build]}" postmaster="${postmasters[$build]}"
}

start_clusters() {
  local name
  declare -gA connections=() postmasters=()
  for name in baseline now; do
    program="${programs[$name]}" work="$root/cluster-$name"
    mkdir "$work"
    chmod 711 "$work"
    start_database ""
    connections[$name]="$connection"
    postmasters[$name]="$(head -n 1 "$(find "$work/database" -name postmaster.pid -print -quit)")"
  done
  for name in baseline now; do use "$name" && start_node a; done
}

end_clusters() {
  stop_all
  rm -rf -- "$root/cluster-baseline" "$root/cluster-now"
}

# Runs something once with each build, the other one first in every second round.
by_turns() { # round, function, arguments…
  local round="$1" names=(baseline now) name
  shift
  [ $((round % 2)) -eq 1 ] || names=(now baseline)
  for name in "${names[@]}"; do use "$name" && "$@"; done
}

fingerprint_with_build() {
  metered fingerprint "$build" "$program" fingerprint "$root/large/file"
}

put_large_with_build() {
  put_at_leader "$root/large"
  cut -d ' ' -f 1 "$work/put" >"$work/large-key"
  download "$(port_of a)" "/download/$(cat "$work/large-key")" # the first of a process also compiles
  download "$(port_of a)" "/v1/files/$(cat "$work/large-key")/content"
}

download_with_build() {
  local key
  key="$(cat "$work/large-key")"
  cat "$work"/a/data/content/*/*/* >/dev/null
  download_into framed "/download/$key"
  download_into raw "/v1/files/$key/content"
}

download_into() { # case, path
  local leader before
  leader="$(pid_of a)"
  before="$(cpu_of "$leader")"
  metered "$1" "$build" download "$(port_of a)" "$2"
  record "$1" "$build" source-cpu "$(difference "$before" "$(cpu_of "$leader")")"
}

put_small_with_build() { put_small "$1" "$build"; } # round

# Three nodes that are in step and asked nothing, for a minute; those of the other build are not there meanwhile. For some minutes
# before, the runtime compiles again what they do over and over: that is half of what a node at rest takes until then.
idle_with_build() {
  local node pids=() before before_database transactions
  for node in a b c; do start_node "$node" && pids+=("$(pid_of "$node")"); done
  sleep 240
  before="$(cpu_of "${pids[@]}")" before_database="$(database_cpu)" transactions="$(transactions_of)"
  sleep 60
  record idle "$build" cpu "$(difference "$before" "$(cpu_of "${pids[@]}")")"
  record idle "$build" database-cpu "$(difference "$before_database" "$(database_cpu)")"
  record idle "$build" transactions "$(difference "$transactions" "$(transactions_of)")"
  record idle "$build" memory "$(cd /proc && awk '/^VmRSS:/ { sum += $2 } END { print int(sum / 3 / 1024) }' "${pids[@]/%//status}")"
  stop "${pids[@]}"
  for node in "${pids[@]}"; do reap "$node"; done
}

transactions_of() { sql "SELECT pg_stat_clear_snapshot(); SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()" | tail -n 1; }

baseline_rows() { # cases…
  local case figure before after
  printf '\tfigure\tbaseline\tnow\tnow : baseline\tbaseline low-high\tnow low-high\n'
  for case in "$@"; do
    for figure in seconds source-cpu cpu database-cpu transactions source-memory memory; do
      before="$(median_of "$case" baseline "$figure")" after="$(median_of "$case" now "$figure")"
      [ -n "$before" ] && [ -n "$after" ] || continue
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$case" "$figure" "$(scaled "$before" 1 %.2f)" "$(scaled "$after" 1 %.2f)" \
        "$(ratio "$after" "$before")" "$(spread_of "$case" baseline "$figure")" "$(spread_of "$case" now "$figure")"
    done
  done
}

compare_with_baseline() { # revision
  local round node measured=()
  publish_baseline "$1"
  make_large_file
  make_warm_up
  start_clusters
  if chosen fingerprint; then
    measured+=(fingerprint)
    for ((round = 1; round <= rounds; round++)); do by_turns "$round" fingerprint_with_build; done
  fi
  if chosen download; then
    measured+=(framed raw)
    by_turns 1 put_large_with_build
    for ((round = 1; round <= rounds; round++)); do by_turns "$round" download_with_build; done
  fi
  if chosen puts; then
    measured+=(puts)
    for ((round = 1; round <= rounds; round++)); do make_puts $((small_files / 5)) && by_turns "$round" put_small_with_build "$round"; done
  fi
  end_clusters
  if chosen idle; then
    measured+=(idle)
    start_clusters
    for node in baseline now; do use "$node" && stop "$(pid_of a)" && reap "$(pid_of a)"; done
    for ((round = 1; round <= rounds; round++)); do by_turns "$round" idle_with_build; done
    end_clusters
  fi
  [ "${#measured[@]}" -eq 0 ] || baseline_rows "${measured[@]}" | print_table "This build beside $1"
  local case
  for case in large small; do
    chosen "$case" || continue
    [ "$case" = large ] || make_small_files
    start_clusters
    by_turns 1 put_at_leader "$root/$case"
    for ((round = 1; round <= rounds; round++)); do
      by_turns "$round" replicate_with_build "$case" "$round"
    done
    end_clusters
    remove_what_is_aside
    baseline_rows "$case" | print_table "Replication of $case"
  done
}

replicate_with_build() { # case, round
  replicate_with_filetransfer "$1" "$(find "$root/$1" -type f | wc -l)" "$2" "$build"
}

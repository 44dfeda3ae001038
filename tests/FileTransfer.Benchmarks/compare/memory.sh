# shellcheck shell=bash
# Sourced by compare.sh: peak resident memory while many downloads run at once.
: "${root:?}" "${work:?}" "${clients:?}" "${parallel_megabytes:?}"

make_parallel_files() {
  local number
  mkdir "$root/parallel"
  for ((number = 1; number <= clients; number++)); do head -c $((parallel_megabytes * 1000000)) /dev/urandom >"$root/parallel/$number"; done
}

# Each client one file, all at once.
download_all_at_once() { # node
  local key pids=() pid
  while read -r key _; do
    download "$(port_of "$1")" "/download/$key" &
    pids+=($!)
  done <"$work/put"
  for pid in "${pids[@]}"; do wait "$pid" || fail "a client of node $1 did not get its file"; done
}

measure_serving() { # node, name for people
  local pid before started
  pid="$(pid_of "$1")"
  before="$(cpu_of "$pid")"
  forget_peak "$pid"
  started="$(now_ms)"
  download_all_at_once "$1"
  printf '%s serves %d clients at once\t%s\t%s\t%s\n' "$2" "$clients" "$(seconds_since "$started")" "$(peak_megabytes "$pid")" \
    "$(scaled "$(difference "$before" "$(cpu_of "$pid")")" "$gibibyte" %.2f)"
}

measure_receiving() {
  local leader follower before_leader before_follower began seconds
  leader="$(pid_of a)" follower="$(pid_of b)"
  forget_peak "$leader"
  before_leader="$(cpu_of "$leader")" before_follower="$(cpu_of "$follower")"
  began="$(resume b)"
  wait_for 900 "b to hold $clients files" stores b "$clients"
  seconds="$(scaled "$(seconds_to_stored b "$began")" 1 '%.3f s')"
  printf 'follower downloads %d files at once\t%s\t%s\t%s\n' "$clients" "$seconds" "$(peak_megabytes "$follower")" \
    "$(scaled "$(difference "$before_follower" "$(cpu_of "$follower")")" "$gibibyte" %.2f)"
  printf '… its leader meanwhile\t%s\t%s\t%s\n' "$seconds" "$(peak_megabytes "$leader")" \
    "$(scaled "$(difference "$before_leader" "$(cpu_of "$leader")")" "$gibibyte" %.2f)"
}

measure_memory() {
  local gibibyte
  gibibyte="$(awk -v bytes=$((clients * parallel_megabytes * 1000000)) 'BEGIN { print 1073741824 / bytes }')"
  make_parallel_files
  make_warm_up
  start_cluster parallel
  put_at_leader "$root/parallel"
  rm -rf -- "$root/parallel"
  export FileTransfer__Downloads__Lanes="$clients"
  join_warm b
  unset FileTransfer__Downloads__Lanes
  {
    printf '%d × %d MB\tseconds\tpeak resident MB\tCPU s per GiB\n' "$clients" "$parallel_megabytes"
    measure_receiving
    measure_serving a leader
    measure_serving b follower
  } >"$root/memory"
  print_table "Memory at $clients downloads at once" <"$root/memory"
  end_cluster
}

# shellcheck shell=bash
# Sourced by compare.sh: a file of 100 MB that a leader sends at no more than 20 MB/s, to one follower and to eight, and what a reader
# waits for at a follower that is still getting it.
: "${root:?}" "${work:?}" "${rounds:?}"

start_limited_cluster() { # name
  make_spread_file
  export FileTransfer__Limits__Upload=20MB/s
  start_cluster "$1"
  unset FileTransfer__Limits__Upload
  put_at_leader "$root/spread"
  spread_key="$(cut -d ' ' -f 1 "$work/put")"
}

make_spread_file() {
  [ ! -d "$root/spread" ] || return 0
  mkdir "$root/spread"
  head -c 100000000 /dev/urandom >"$root/spread/file"
}

# Followers that have joined, are empty, and think that they have read the feed.
join_many() { # names…
  local name
  for name in "$@"; do
    sql "INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) SELECT '$name', bin, head FROM filetransfer.bins"
    start_node "$name"
  done
}

resume_many() { # prints the database's time
  sql "UPDATE filetransfer.feed_positions SET sequence = 0 WHERE node_id <> 'a'; NOTIFY filetransfer_feed, '0'; SELECT extract(epoch FROM clock_timestamp())"
}

all_store() { # followers
  [ "$(sql "SELECT count(*) FROM filetransfer.replicas WHERE node_id <> 'a' AND state = 'stored'")" -eq "$1" ] || { sleep 0.25 && return 1; }
}

spread_to() { # followers, what it is called in the results
  local names=() began number
  for ((number = 1; number <= $1; number++)); do names+=("f$number"); done
  join_many "${names[@]}"
  cat "$work"/a/data/content/*/*/* >/dev/null
  began="$(resume_many)"
  wait_for 300 "$1 followers to hold it" all_store "$1"
  record spread "$2" seconds "$(sql "SELECT extract(epoch FROM max(changed_at)) - $began FROM filetransfer.replicas WHERE node_id <> 'a'")"
  for number in "${names[@]}"; do leave "$number"; done
}

has_begun() { # node
  replicas "$1" "$spread_key" | awk -v node="$1" '$1 == node && $2 == "downloading" && $3 > 0 { found = 1 } END { exit !found }'
}

first_byte() { # node, what it is called in the results
  local seconds
  seconds="$(curl --silent --fail --max-time 60 --output /dev/null --range 0-999999 \
    --write-out '%{time_starttransfer}' "$(url "$1")/v1/files/$spread_key/content")" || fail "a reader at $1 got nothing"
  record reader "$2" seconds "$seconds"
}

read_while_it_comes() {
  join_many f1
  resume_many >/dev/null
  wait_for 60 "f1 to begin its download" has_begun f1
  first_byte f1 "follower that is getting it"
  has_replica f1 "$spread_key" f1 downloading || fail "f1 had it before it was read there"
  first_byte a leader
  wait_for 60 "f1 to hold it" all_store 1
  leave f1
}

compare_spread() {
  local round
  start_limited_cluster spread
  for ((round = 1; round <= rounds; round++)); do
    spread_to 1 one
    spread_to 8 eight
    read_while_it_comes
  done
  end_cluster
  remove_what_is_aside
  {
    printf 'followers\tseconds\ttimes one follower\tlow-high s\n'
    for round in one eight; do
      printf '%s\t%s\t%s\t%s\n' "$round" "$(scaled "$(median_of spread "$round" seconds)" 1 %.2f)" \
        "$(ratio "$(median_of spread "$round" seconds)" "$(median_of spread one seconds)")" "$(spread_of spread "$round" seconds)"
    done
  } | print_table "100 MB from a leader that sends at most 20 MB/s"
  {
    printf 'at\tms until the first byte\ttimes the leader\n'
    for round in leader "follower that is getting it"; do
      printf '%s\t%s\t%s\n' "$round" "$(scaled "$(median_of reader "$round" seconds)" 1000 %.1f)" \
        "$(ratio "$(median_of reader "$round" seconds)" "$(median_of reader leader seconds)")"
    done
  } | print_table "A reader's first byte"
}

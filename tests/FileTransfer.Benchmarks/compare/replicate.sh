# shellcheck shell=bash
# Sourced by compare.sh: the same files brought to an empty place, by the product and by its peers, round by round.
: "${root:?}" "${work:?}" "${rounds:?}" "${began_at:?}" "${server_port:?}"

# Sources are in the page cache, and nothing else of ours waits to be written.
prepare_run() { # case
  find "$root/$1" -type f -print0 | xargs -0 cat >/dev/null
  sync --file-system "$root"
}

replicate_with_filetransfer() { # case, files, round, what it is called in the results
  local name="b$3" called="${4:-filetransfer}" leader follower before_leader before_follower before_database began
  join_warm "$name"
  leader="$(pid_of a)" follower="$(pid_of "$name")"
  prepare_run "$1"
  find "$work/a/data/content" -type f -print0 | xargs -0 cat >/dev/null
  forget_peak "$leader"
  before_leader="$(cpu_of "$leader")" before_follower="$(cpu_of "$follower")" before_database="$(database_cpu)"
  began="$(resume "$name")"
  wait_for 900 "$name to hold $2 files" stores "$name" "$2"
  record "$1" "$called" seconds "$(seconds_to_stored "$name" "$began")"
  record "$1" "$called" source-cpu "$(difference "$before_leader" "$(cpu_of "$leader")")"
  record "$1" "$called" cpu "$(difference "$before_follower" "$(cpu_of "$follower")")"
  record "$1" "$called" database-cpu "$(difference "$before_database" "$(database_cpu)")"
  record "$1" "$called" source-memory "$(peak_megabytes "$leader")"
  record "$1" "$called" memory "$(peak_megabytes "$follower")"
  leave "$name"
}

# A peer with a server of its own; what arrives must be what was sent.
replicate_with_peer() { # case, name, function that starts the server, signal that stops it, function that copies
  prepare_run "$1"
  mkdir "$root/copy"
  "$3" "$root/$1"
  fill_in_port "$1" "$server_port"
  metered "$1" "$2" "$5" "$root/$1.list" "$server_port" "$root/copy"
  stop_metered_server "$4"
  record_cost "$1" "$2" "$root/server.cost" source-cpu source-memory
  diff --recursive --brief "$root/$1" "$root/copy" >/dev/null || fail "$2 did not copy what was there"
  put_aside "$root/copy"
}

replicate_round() { # case, files, round
  replicate_with_filetransfer "$@"
  if wanted rsync; then replicate_with_peer "$1" "rsync --fsync" start_rsync_daemon TERM copy_with_rsync; fi
  if wanted nginx; then
    if wanted rclone; then replicate_with_peer "$1" "rclone + sync" start_nginx QUIT copy_with_rclone; fi
    if wanted aria2c; then replicate_with_peer "$1" "aria2c -x8 + sync" start_nginx QUIT copy_with_aria2c; fi
    if wanted b2sum; then replicate_with_peer "$1" "curl + tee + b2sum + sync" start_nginx QUIT copy_with_curl_tee; fi
    replicate_with_peer "$1" "curl -o + sync" start_nginx QUIT copy_with_curl
  fi
  if wanted iroh; then replicate_with_peer "$1" iroh start_iroh TERM copy_with_iroh; fi
  if wanted syncthing; then replicate_with_syncthing "$1" "$2"; fi
}

replicate_rows() { # case, bytes
  local name seconds mine factor
  mine="$(median_of "$1" filetransfer seconds)"
  factor="$(awk -v bytes="$2" 'BEGIN { print 1073741824 / bytes }')"
  printf '\tseconds\tMiB/s\tfiletransfer : it\tsource CPU s/GiB\tcopy CPU s/GiB\tdatabase CPU s/GiB\tsource peak MB\tcopy peak MB\tlow-high s\n'
  for name in filetransfer "curl -o + sync" "rsync --fsync" "rclone + sync" "aria2c -x8 + sync" "curl + tee + b2sum + sync" iroh syncthing; do
    seconds="$(median_of "$1" "$name" seconds)"
    [ -n "$seconds" ] || continue
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$(scaled "$seconds" 1 %.2f)" \
      "$(awk -v bytes="$2" -v seconds="$seconds" 'BEGIN { printf "%d", bytes / 1048576 / seconds }')" "$(ratio "$mine" "$seconds")" \
      "$(scaled "$(median_of "$1" "$name" source-cpu)" "$factor" %.2f)" "$(scaled "$(median_of "$1" "$name" cpu)" "$factor" %.2f)" \
      "$(scaled "$(median_of "$1" "$name" database-cpu)" "$factor" %.2f)" "$(scaled "$(median_of "$1" "$name" source-memory)" 1 %d)" \
      "$(scaled "$(median_of "$1" "$name" memory)" 1 %d)" "$(spread_of "$1" "$name" seconds)"
  done
}

compare_replication() { # case, title
  local files bytes round
  files="$(find "$root/$1" -type f | wc -l)"
  bytes="$(find "$root/$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')"
  make_warm_up
  write_lists "$1"
  start_cluster "$1"
  put_at_leader "$root/$1"
  for ((round = 1; round <= rounds; round++)); do
    replicate_round "$1" "$files" "$round"
    say "Round $round of $1 is done after $(awk -v ms="$(now_ms)" -v from="$began_at" 'BEGIN { printf "%d s", (ms - from) / 1000 }')."
  done
  end_cluster
  remove_what_is_aside
  replicate_rows "$1" "$bytes" | print_table "Replication of $2: $files files, $((bytes / 1048576)) MiB"
}

print_guarantees() {
  print_table "What was guaranteed when the time ended" <<'TEXT'
	proven against	durable	committed	a reader never sees a part
filetransfer	the file's name (BLAKE2b trie), every chunk before it is written	file and folder fsynced	each file, in the database	yes: linked when committed
rsync --fsync	what the sender read (whole file)	file fsynced, folder not	no	yes: renamed
rclone + sync	nothing: size only	by the sync behind it	no	from 1.63 on: renamed
aria2c -x8 + sync	a SHA-256 known beforehand, read back from the file	by the sync behind it	no	no: visible while it grows
curl + tee + b2sum + sync	a BLAKE2b known beforehand, of the stream, not of the file	by the sync behind it	no	no: visible while it grows
curl -o + sync	nothing but the length	by the sync behind it	no	no: visible while it grows
iroh	BLAKE3 of each 16 KiB, by the content's name	by the sync behind it	in its own store	yes: renamed
syncthing	SHA-256 of each block, from the sender's index	file fsynced	in its own index	yes: renamed
TEXT
}

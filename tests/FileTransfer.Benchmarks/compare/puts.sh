# shellcheck shell=bash
# Sourced by compare.sh: many small files brought to the leader, each acknowledged when it is durable there.
: "${root:?}" "${work:?}" "${rounds:?}" "${small_files:?}" "${small_bytes:?}" "${server_port:?}"

make_puts() { # files: contents that were never there before
  rm -rf -- "$root/puts"
  mkdir "$root/puts"
  head -c $(($1 * small_bytes)) /dev/urandom | split -b "$small_bytes" -a 6 -d - "$root/puts/"
}

put_small() { # round, what it is called in the results
  local leader before before_database started
  leader="$(pid_of a)"
  before="$(cpu_of "$leader")" before_database="$(database_cpu)"
  started="$(now_ms)"
  "$program" put --url "$(url a)" --bucket "$(printf '0x7075%02x' "$1")" --recursive "$root/puts/" >"$work/puts" || fail "put ended with $?"
  record puts "$2" seconds "$(awk -v ms=$(($(now_ms) - started)) 'BEGIN { print ms / 1000 }')"
  record puts "$2" source-cpu "$(difference "$before" "$(cpu_of "$leader")")"
  record puts "$2" database-cpu "$(difference "$before_database" "$(database_cpu)")"
}

put_with_rsync() { # folder, port
  rsync --archive --fsync "$1/" "rsync://127.0.0.1:$2/files/"
}
export -f put_with_rsync

put_small_with_rsync() {
  mkdir "$root/copy"
  start_rsync_daemon "$root/copy" no
  metered puts "rsync --fsync" put_with_rsync "$root/puts" "$server_port"
  stop_metered_server TERM
  record_cost puts "rsync --fsync" "$root/server.cost" source-cpu source-memory
  put_aside "$root/copy"
}

put_rows() {
  local name mine
  mine="$(median_of puts filetransfer seconds)"
  printf 'with\tseconds\tfiletransfer : it\treceiving CPU s\tdatabase CPU s\tlow-high s\n'
  for name in filetransfer "rsync --fsync"; do
    [ -n "$(median_of puts "$name" seconds)" ] || continue
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$(scaled "$(median_of puts "$name" seconds)" 1 %.2f)" \
      "$(ratio "$mine" "$(median_of puts "$name" seconds)")" "$(scaled "$(median_of puts "$name" source-cpu)" 1 %.2f)" \
      "$(scaled "$(median_of puts "$name" database-cpu)" 1 %.2f)" "$(spread_of puts "$name" seconds)"
  done
}

compare_puts() {
  local round
  start_cluster puts
  for ((round = 1; round <= rounds; round++)); do
    make_puts "$small_files"
    prepare_run puts
    put_small "$round" filetransfer
    if wanted rsync; then put_small_with_rsync; fi
  done
  end_cluster
  put_rows | print_table "Put of $small_files files of $small_bytes bytes"
}

# shellcheck shell=bash
# Sourced by compare.sh: one client downloads one large file over loopback to /dev/null.
: "${root:?}" "${work:?}" "${rounds:?}" "${large_megabytes:?}" "${server_port:?}"

download() { # port, path
  curl --silent --fail --output /dev/null "http://127.0.0.1:$1$2"
}
export -f download

download_from_leader() { # name, path
  local leader before
  leader="$(pid_of a)"
  before="$(cpu_of "$leader")"
  forget_peak "$leader"
  metered download "$1" download "$(port_of a)" "$2"
  record download "$1" source-cpu "$(difference "$before" "$(cpu_of "$leader")")"
  record download "$1" source-memory "$(peak_megabytes "$leader")"
}

download_from_nginx() {
  start_nginx "$root/large"
  metered download "nginx sendfile" download "$server_port" /file
  stop_metered_server QUIT
  record_cost download "nginx sendfile" "$root/server.cost" source-cpu source-memory
}

download_rows() {
  local name seconds reference factor
  reference="$(median_of download "nginx sendfile" seconds)"
  factor="$(awk -v size="$large_megabytes" 'BEGIN { print 1024 / size }')"
  printf 'from\tseconds\tMiB/s\tspeed to nginx\tserver CPU s per GiB\tclient CPU s per GiB\tserver peak MB\tlow-high s\n'
  for name in framed raw "nginx sendfile"; do
    seconds="$(median_of download "$name" seconds)"
    [ -n "$seconds" ] || continue
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$(scaled "$seconds" 1 %.3f)" \
      "$(ratio "$large_megabytes" "$seconds" | cut -d . -f 1)" "$(ratio "$reference" "$seconds")" \
      "$(scaled "$(median_of download "$name" source-cpu)" "$factor" %.2f)" "$(scaled "$(median_of download "$name" cpu)" "$factor" %.2f)" \
      "$(median_of download "$name" source-memory)" "$(spread_of download "$name" seconds)"
  done
}

compare_downloads() {
  local round key
  make_large_file
  start_cluster download
  put_at_leader "$root/large"
  key="$(cut -d ' ' -f 1 "$work/put")"
  download "$(port_of a)" "/download/$key" # the first of a process also compiles
  download "$(port_of a)" "/v1/files/$key/content"
  for ((round = 1; round <= rounds; round++)); do
    cat "$root/large/file" >/dev/null
    download_from_leader framed "/download/$key"
    download_from_leader raw "/v1/files/$key/content"
    if wanted nginx; then download_from_nginx; fi
  done
  download_rows | print_table "Download of $large_megabytes MiB over loopback to /dev/null, one curl"
  end_cluster
}

# shellcheck shell=bash
# Sourced by compare.sh: what a node costs that has very many small files, beside one that has few. Each is killed and started again.
: "${root:?}" "${work:?}" "${rest_files:?}"

rest_bytes=1024
rest_asked=21 # requests, of which the median counts

make_rest() { # files
  mkdir "$root/rest"
  head -c $(($1 * rest_bytes)) /dev/urandom | split -b "$rest_bytes" -a 8 -d - "$root/rest/"
}

milliseconds_of() { # what curl is to ask, the last word being the path
  local i path="${*: -1}"
  for ((i = 0; i < rest_asked; i++)); do
    curl -fsS -o "$work/answer" -w '%{time_total}\n' "${@:1:$#-1}" "$(url a)$path" || fail "$path was refused"
  done | median /dev/stdin | awk '{ printf "%.1f", $1 * 1000 }'
}

put_milliseconds() {
  local i
  for ((i = 0; i < rest_asked; i++)); do
    head -c "$rest_bytes" /dev/urandom >"$work/one"
    curl -fsS -o "$work/answer" -w '%{time_total}\n' -H 'Content-Type: application/octet-stream' --data-binary "@$work/one" \
      "$(url a)/v1/files?owner=0x01&bucket=0x02&location=one-$i" || fail "a file was refused"
  done | median /dev/stdin | awk '{ printf "%.1f", $1 * 1000 }'
}

resident_megabytes() { awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$(pid_of a)/status"; }

measure_rest() { # files
  local began pid ready compared last
  make_rest "$1"
  start_cluster rest
  put_at_leader "$root/rest" >&2
  last="$(tail -n 1 "$work/put" | cut -d ' ' -f 1)"
  sql "VACUUM ANALYZE filetransfer.files, filetransfer.replicas"
  pid="$(pid_of a)"
  kill -KILL "$pid"
  reap "$pid"
  began="$(now_ms)"
  start_node a
  ready="$(seconds_since "$began")"
  wait_for 600 "the node to have compared its folder with the catalog" compared a
  compared="$(seconds_since "$began")"
  wait_for 60 "node a to lead" leads a
  printf '%d files\t%s\t%s\t%d\t%s\t%s\t%s\t%d\n' "$1" "$ready" "$compared" "$(resident_megabytes)" \
    "$(milliseconds_of '/v1/files?limit=100')" "$(milliseconds_of "/v1/files/$last/content")" "$(put_milliseconds)" \
    "$(find "$work/a/data" | wc -l)"
  end_cluster
  rm -rf -- "$root/rest"
}

leads() { [ "$(leader_at "$1")" = "$1" ]; } # node

compared() { [[ "$(http_body "$1" /health/ready)" == *"have been compared since the start"* ]]; } # node

measure_files_at_rest() {
  type curl >/dev/null || fail "curl is not here; install it, or leave rest out of --only"
  {
    printf 'a node with\tkilled → ready\tfolder compared\tresident MB\ta page of 100: ms\ta content: ms\ta put: ms\tfiles and folders\n'
    measure_rest 1000
    measure_rest "$rest_files"
  } >"$root/rest-rows"
  print_table "Small files at rest, $rest_bytes bytes each" <"$root/rest-rows"
}

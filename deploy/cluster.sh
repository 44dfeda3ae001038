# shellcheck shell=bash
# Sourced by scripts at the repository's root: a database and nodes as separate processes on loopback, and small HTTP questions to them.
# Needs `work` (a folder of its own) and `program` (where the published filetransfer is or will be). Per node: $work/NAME/{url,pid,log,data}.
: "${work:?}" "${program:?}"

children=() # every process started here and not waited for yet, in order
database_pid=""
container="" # the database's, where it runs in Docker

fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  local log
  for log in "$work"/*/log; do
    [ -s "$log" ] || continue
    printf '\n── the end of %s\n' "$log" >&2
    tail -n 15 "$log" >&2
  done
  exit 1
}

now_ms() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
  else
    echo $((SECONDS * 1000))
  fi
}

seconds_since() { # a time of now_ms
  local elapsed=$(($(now_ms) - $1))
  printf '%d.%03d s' $((elapsed / 1000)) $((elapsed % 1000))
}

wait_for() { # seconds, what, command…
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited in vain for: $what"
    sleep 0.05
  done
}

is_alive() { kill -0 "$1" 2>/dev/null; }

publish_program() {
  local kind
  kind="$(dotnet --info | sed -n 's/^ *RID: *//p' | head -n 1)"
  if [ -e "src/FileTransfer/packages.$kind.lock.json" ]; then
    publish_with "-p:RuntimeIdentifier=$kind" && return
    echo "The program could not be compiled beforehand for $kind; it will be compiled while it runs."
  fi
  publish_with || fail "the program could not be built"
}

publish_with() { # options
  dotnet publish src/FileTransfer -c Release -o "$(dirname -- "$program")" --artifacts-path "$work/build" \
    --disable-build-servers -v quiet -p:RestoreLockedMode=true -p:RunAnalyzers=false "$@"
}

# ── processes

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    grep -qs ":$port\$" "$work"/*/url && continue
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# PostgreSQL from this machine's programs, or from an image where only Docker is here.
start_database() { # nothing, or "docker"
  mkdir -p "$work/database"
  if [ "${1:-}" = docker ]; then start_database_in_docker && return; fi
  "$program" database --data-directory "$work/database/data" >"$work/database/connection" 2>"$work/database/log" &
  database_pid=$!
  children+=("$database_pid")
  wait_for 60 "the database's connection string" database_answered
  connection="$(head -n 1 "$work/database/connection")"
}

database_answered() {
  is_alive "$database_pid" || fail "the database did not start"
  [ -s "$work/database/connection" ]
}

start_database_in_docker() {
  local password
  password="$(od -An -v -tx1 -N16 /dev/urandom | tr -d ' \n')"
  container="$(POSTGRES_PASSWORD="$password" docker run --detach --rm --env POSTGRES_PASSWORD --publish 127.0.0.1::5432 postgres:17)"
  wait_for 60 "PostgreSQL in Docker" docker exec "$container" pg_isready --quiet --host=127.0.0.1
  connection="Host=127.0.0.1;Port=$(docker port "$container" 5432/tcp | head -n 1 | sed 's/.*://');Username=postgres;Password=$password;Database=postgres"
}

# Starts a node, or starts it again where it was.
start_node() { # name
  local folder="$work/$1" pid
  mkdir -p "$folder"
  [ -s "$folder/url" ] || echo "http://127.0.0.1:$(free_port)" >"$folder/url"
  (
    cd "$folder" || exit 1
    exec env FileTransfer__NodeId="$1" FileTransfer__ClusterId=demo FileTransfer__Role=Auto \
      FileTransfer__DataDirectory="$folder/data" ConnectionStrings__Postgres="$connection" \
      "$program" serve --urls "$(url "$1")"
  ) >>"$folder/log" 2>&1 &
  pid=$!
  echo "$pid" >"$folder/pid"
  children+=("$pid")
  wait_for 30 "node $1 to be ready" node_ready "$1"
}

node_ready() {
  is_alive "$(pid_of "$1")" || fail "node $1 did not start"
  [ "$(http_status GET "$1" /health/ready)" = 200 ]
}

# Waits for a process started here to end; its number may belong to someone else afterwards.
reap() { # process
  local others=() child
  wait "$1" 2>/dev/null || true
  for child in "${children[@]}"; do
    [ "$child" = "$1" ] || others+=("$child")
  done
  children=("${others[@]}")
}

url() { cat "$work/$1/url"; }

pid_of() { cat "$work/$1/pid"; }

peak_memory() { # node
  sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of "$1")/status" 2>/dev/null | awk '{ printf "%d MB", $1 / 1024 }'
}

# Ends the processes started here and nothing else: the nodes first, the database last.
stop_all() {
  local others=() child
  for child in ${children[@]+"${children[@]}"}; do
    [ "$child" = "$database_pid" ] || others+=("$child")
  done
  stop ${others[@]+"${others[@]}"}
  if [ -n "$database_pid" ]; then stop "$database_pid"; fi
  if [ -n "$container" ]; then docker rm --force --volumes "$container" >/dev/null; fi
  children=()
}

stop() { # processes
  local pid deadline=$((SECONDS + 20))
  kill -TERM "$@" 2>/dev/null || true
  for pid in "$@"; do
    while is_alive "$pid" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

# ── HTTP, without a client program

request() ( # method, node, path: the whole answer
  address="$(url "$2")"
  address="${address#http://}"
  exec 3<>"/dev/tcp/${address%:*}/${address#*:}" || exit 1
  printf '%s %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$3" "$address" >&3
  cat <&3
) 2>/dev/null

http_status() ( # method, node, path: the status code, nothing when nobody answers
  address="$(url "$2")"
  address="${address#http://}"
  exec 3<>"/dev/tcp/${address%:*}/${address#*:}" || exit 0
  printf '%s %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$3" "$address" >&3
  read -r _ code _ <&3 && echo "$code"
  exit 0
) 2>/dev/null

http_body() { # node, path
  request GET "$@" | sed '1,/^\r*$/d' || true
}

leader_at() { # node that is asked: the leader's name
  http_body "$1" /v1/leader | sed -n 's/.*"node":"\([^"]*\)".*/\1/p'
}

# One line per node that has a replica of the file: name, state, bytes proven.
replicas() { # node that is asked, file key
  http_body "$1" "/v1/files/$2" | tr '{' '\n' |
    sed -n 's/^"node":"\([^"]*\)","state":"\([a-z]*\)","bytesProven":\([0-9]*\).*/\1 \2 \3/p'
}

has_replica() { # node that is asked, file key, node, state
  replicas "$1" "$2" | grep -q "^$3 $4 "
}

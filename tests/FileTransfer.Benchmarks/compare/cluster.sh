# shellcheck shell=bash
# Sourced by compare.sh: a leader that has the files, and followers that come to it; all on loopback, over a database of their own.
: "${root:?}" "${program:?}"
connection="" # to the database, in the words of its client library

# What a new follower is warmed up with: nothing that is measured waits for its program to be compiled.
make_warm_up() {
  [ ! -d "$root/warm" ] || return 0
  mkdir "$root/warm"
  head -c $((64 * 8192)) /dev/urandom | split -b 8192 -a 3 -d - "$root/warm/small"
  head -c $((48 * 1024 * 1024)) /dev/urandom >"$root/warm/large"
}

start_cluster() { # name
  work="$root/cluster-$1"
  mkdir "$work"
  chmod 711 "$work"
  start_database ""
  postmaster="$(head -n 1 "$(find "$work/database" -name postmaster.pid -print -quit)")"
  start_node a
}

end_cluster() {
  stop_all
  rm -rf -- "$work"
}

port_of() { url "$1" | sed 's/.*://'; } # node

put_at_leader() { # folder, further options
  local started folder="$1"
  shift
  started="$(now_ms)"
  "$program" put --url "$(url a)" --recursive "$folder/" "$@" >"$work/put" || fail "put ended with $?"
  say "Put at the leader: $(wc -l <"$work/put") files of ${folder##*/} in $(seconds_since "$started")."
}

# A statement in the cluster's database; its result without any decoration.
sql() { # statements
  local setting host="" port="" user="" password="" database=""
  local IFS=';'
  for setting in $connection; do
    case "$setting" in
      Host=*) host="${setting#*=}" ;;
      Port=*) port="${setting#*=}" ;;
      Username=*) user="${setting#*=}" ;;
      Password=*) password="${setting#*=}" ;;
      Database=*) database="${setting#*=}" ;;
    esac
  done
  PGPASSWORD="$password" "$psql" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --host="$host" --port="$port" --username="$user" --dbname="$database" --command="$1"
}

find_psql() {
  psql="$(find /usr/lib/postgresql/*/bin /usr/pgsql-*/bin -name psql 2>/dev/null | sort -V | tail -n 1 || true)"
  [ -n "$psql" ] || psql="$(command -v psql)" || fail "psql is not here; install PostgreSQL's client programs"
}

database_cpu() {
  # shellcheck disable=SC2046 # one word per process
  cpu_of "$postmaster" $(children_of "$postmaster")
}

stored_at() { sql "SELECT count(*) FROM filetransfer.replicas WHERE node_id = '$1' AND state = 'stored'"; } # node

stores() { # node, files; asked for seldom, for asking takes time from what is measured
  [ "$(stored_at "$1")" -eq "$2" ] || { sleep 0.25 && return 1; }
}

# What is in the trash stays there; the column is looked for by name, for older builds have none.
nothing_to_remove() {
  local removing="SELECT count(*) FROM filetransfer.replicas r WHERE state = 'removing' AND to_jsonb(r) ->> 'waits_for' IS DISTINCT FROM 'trash'"
  [ "$(sql "$removing")" -eq 0 ] || { sleep 0.25 && return 1; }
}

# An empty follower that has joined, has done some work and now thinks that it has read the feed.
join_warm() { # name
  local keys
  sql "INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) SELECT '$1', bin, head FROM filetransfer.bins"
  start_node "$1"
  "$program" put --url "$(url a)" --bucket 0x7761726d --recursive "$root/warm/" >"$work/warm" || fail "put ended with $?"
  wait_for 60 "$1 to be warm" stores "$1" "$(wc -l <"$work/warm")"
  mapfile -t keys < <(cut -d ' ' -f 1 "$work/warm")
  "$program" remove --url "$(url a)" "${keys[@]}" >/dev/null || fail "remove ended with $?"
  wait_for 60 "what $1 was warmed up with to be gone" nothing_to_remove
}

# Lets it read the feed from the beginning, with the notice that an append gives. Prints the database's time.
resume() { # name
  sql "UPDATE filetransfer.feed_positions SET sequence = 0 WHERE node_id = '$1'; NOTIFY filetransfer_feed, '0'; SELECT extract(epoch FROM clock_timestamp())"
}

# The seconds from a time to the last commit that made a replica stored.
seconds_to_stored() { # name, time
  sql "SELECT extract(epoch FROM max(changed_at)) - $2 FROM filetransfer.replicas WHERE node_id = '$1' AND state = 'stored'"
}

# A follower leaves the cluster for good.
leave() { # name
  local pid
  pid="$(pid_of "$1")"
  stop "$pid"
  reap "$pid"
  sql "DELETE FROM filetransfer.replicas WHERE node_id = '$1'; DELETE FROM filetransfer.feed_positions WHERE node_id = '$1';
       DELETE FROM filetransfer.nodes WHERE node_id = '$1'"
  put_aside "$work/$1"
}

# Some file systems are slow to make files for a while after many were removed, so nothing large in number goes before all is measured.
put_aside() { # folder
  mkdir -p "$root/aside"
  mv -- "$1" "$root/aside/$(find "$root/aside" -mindepth 1 -maxdepth 1 | wc -l)"
  [ "$(find "$root/aside" -type f -size +99M | wc -l)" -eq 0 ] || remove_what_is_aside
}

remove_what_is_aside() { rm -rf -- "$root/aside"; }

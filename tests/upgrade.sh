#!/usr/bin/env bash
# Upgrades three nodes one after the other from the program of an earlier commit (by default the last one) to this one's, and back, over one database and the
# same data folders, while files are put and read as through a load balancer, which asks the next node when one is away. Every read is answered, and in the
# end every node gives back every file whose upload was acknowledged. Where this program's schema has a step that an older program cannot work with, the
# way back is refused, and that is checked instead.    bash tests/upgrade.sh [COMMIT]
# Ends with 77, and says why, where something is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
. tests/deploy/cluster.sh
commit="$(git rev-parse --verify --quiet "${1:-HEAD~1}^{commit}")" || skip "there is no earlier commit here."

# ── the earlier program
mkdir "$work/source"
git archive "$commit" | tar -x -C "$work/source"
[ -e "$work/source/src/FileTransfer/Postgres/Roles/node_role.sql" ] || skip "the program of $commit is from before nodes had roles of their own."
(cd "$work/source" && dotnet publish src/FileTransfer -c Release -o "$work/earlier" -v quiet -p:RunAnalyzers=false) >"$work/build.log" 2>&1 ||
  fail "the program of $commit could not be built"
declare -A programs=([earlier]="$work/earlier/filetransfer.dll" [later]="$program")
newest() { find "$1/src/FileTransfer/Postgres/Schema" -name '0*.sql' -printf '%f\n' | sort | tail -n 1; }
cannot_go_back="$(find src/FileTransfer/Postgres/Schema -name '0*.sql' ! -name '*.expand.sql' -printf '%f\n' | sort | awk -v newest="$(newest "$work/source")" '$0 > newest')"

# ── a cluster of it
start_database
export DOTNET_NOLOGO=true
printf 'Host=%s;Port=%s;Username=filetransfer;Database=filetransfer' "$PGHOST" "$PGPORT" >"$work/admin"
declare -A ports processes
for name in a b c; do
  ports[$name]="$(free_port)"
  dotnet "$program" database create-role "node-$name" --database-file "$work/admin" --output "$work/database-$name" >/dev/null
  sed -i 's/Host=[^;]*/Host=127.0.0.1/' "$work/database-$name"
done

start_node() { # name, earlier or later
  FileTransfer__NodeId="$1" FileTransfer__DataDirectory="$work/data-$1" FileTransfer__ForwardWrites=true FileTransfer__Store__FreeSpaceFloorBytes=0 \
    ConnectionStrings__Postgres="$(cat "$work/database-$1")" dotnet "${programs[$2]}" serve --urls "http://127.0.0.1:${ports[$1]}" >>"$work/node-$1.log" 2>&1 &
  processes[$1]="$!"
  children+=("$!")
}
ready() { curl -s --fail -o /dev/null "http://127.0.0.1:${ports[$1]}/health/ready"; }
for name in a b c; do start_node "$name" earlier; done
for name in a b c; do wait_for 90 "node $name to be ready" ready "$name"; done
wait_for 30 "a leader" sh -c "curl -s http://127.0.0.1:${ports[a]}/v1/leader | grep -q '\"node\":\"'"

# ── what goes on all the while
touch "$work/going-on" "$work/acknowledged"
content() { echo "file $1"; head -c $((($1 % 7) * 9000)) /dev/zero | tr '\0' "$1"; }

writes() {
  local number=0 name key since
  while [ -e "$work/going-on" ]; do
    number=$((number + 1)) key="" since=$SECONDS
    content "$number" >"$work/written"
    while [ -z "$key" ]; do
      for name in a b c; do
        key="$(curl -s --fail --max-time 30 --data-binary @"$work/written" "http://127.0.0.1:${ports[$name]}/v1/files?owner=0x11&bucket=0x22&location=$number" |
          sed -n 's/.*"key":"\([^"]*\)".*/\1/p')" || true
        [ -z "$key" ] || break
      done
      [ $((SECONDS - since)) -lt 60 ] || { echo "no node took file $number for a minute" >>"$work/failed"; return; }
    done
    echo "$number $key $((SECONDS - since))" >>"$work/acknowledged"
  done
}

reads() { # which
  local number key name status served
  while [ -e "$work/going-on" ]; do
    read -r number key _ < <(shuf -n 1 "$work/acknowledged") || { sleep 0.1; continue; }
    served=""
    for name in $(shuf -e a b c); do
      # Of a file that a node does not have yet, the node waits.
      status="$(curl -s --max-time 60 -H 'Prefer: wait=30' -o "$work/read-$1" -w '%{http_code}' "http://127.0.0.1:${ports[$name]}/v1/files/$key/content")" || status=away
      case "$status" in
        200) served=yes && break ;;
        away | 503) echo "$status" >>"$work/passed-on" ;; # it stops, or has just begun: the next one
        *) echo "node $name answers a read of file $number with $status" >>"$work/failed" && return ;;
      esac
    done
    [ -n "$served" ] || { echo "no node gave file $number" >>"$work/failed"; return; }
    content "$number" | cmp -s - "$work/read-$1" || { echo "file $number has other bytes" >>"$work/failed"; return; }
    echo >>"$work/served"
  done
}

writes & loads=("$!")
for which in 1 2; do reads "$which" & loads+=("$!"); done
children+=("${loads[@]}")
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
has_lines_or_failed() { [ -e "$work/failed" ] || has_lines "$@"; }
wait_for 60 "the first files" has_lines "$work/acknowledged" 20

turn() { # earlier or later: all nodes, one after the other
  local name
  for name in a b c; do
    kill -TERM "${processes[$name]}"
    wait "${processes[$name]}" || fail "node $name ended with $?"
    start_node "$name" "$1"
    wait_for 90 "node $name to be ready with the $1 program" ready "$name"
    wait_for 90 "more files" has_lines_or_failed "$work/acknowledged" $(($(wc -l <"$work/acknowledged") + 5))
    [ ! -e "$work/failed" ] || fail "$(cat "$work/failed")"
  done
}

turn later
if [ -z "$cannot_go_back" ]; then
  turn earlier
  way="and back"
else
  kill -TERM "${processes[a]}" && wait "${processes[a]}" || true
  start_node a earlier
  code=0 && wait "${processes[a]}" || code=$?
  [ "$code" -eq 78 ] || fail "the earlier program takes the schema of $cannot_go_back, and ends with $code"
  start_node a later
  wait_for 90 "node a to be ready again" ready a
  way="(not back: $(echo $cannot_go_back); the earlier program says so)"
fi

rm "$work/going-on"
for load in "${loads[@]}"; do wait "$load" || true; done
[ ! -e "$work/failed" ] || fail "$(cat "$work/failed")"

# ── nothing is lost
while read -r number key _; do
  for name in a b c; do
    curl -sS --fail --max-time 60 -H 'Prefer: wait=30' "http://127.0.0.1:${ports[$name]}/v1/files/$key/content" | cmp -s - <(content "$number") ||
      fail "file $number, which was acknowledged, is not at node $name"
  done
done <"$work/acknowledged"
echo "Three nodes from ${commit:0:7} to this program $way: $(wc -l <"$work/acknowledged") files put, none lost, the longest took" \
  "$(awk '$3 > most { most = $3 } END { print most + 0 }' "$work/acknowledged") s; $(wc -l <"$work/served") reads, none refused;" \
  "$(cat "$work/passed-on" 2>/dev/null | wc -l) were passed on to the next node."

# shellcheck shell=bash
# For scripts that serve a share by web servers and load it: a folder for all they need, and processes that end with the script. Sourced.

program=${FILETRANSFER_PROGRAM:-src/FileTransfer/bin/Release/net10.0/filetransfer.dll}
work=$(mktemp -d)
chmod 755 "$work"
children=()

cleanup() {
  for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

ft() { dotnet "$program" "$@"; }

start() { "$@" >>"$work/log" 2>&1 & children+=($!); }

stop_last() {
  kill "${children[-1]}" 2>/dev/null || true
  wait "${children[-1]}" 2>/dev/null || true
  unset 'children[-1]'
}

# node NAME PORT [SETTING…]: a node with a database of its own, once it leads.
node() {
  local name=$1 port=$2
  shift 2
  start dotnet "$program" serve --urls "http://127.0.0.1:$port" "--FileTransfer:NodeId=$name" "--FileTransfer:DataDirectory=$work/$name" \
    --FileTransfer:Store:FreeSpaceFloorBytes=0 "$@"
  for _ in $(seq 600); do curl -sf -o /dev/null "http://127.0.0.1:$port/v1/leader" && return 0; sleep 0.1; done
  echo "The node $name does not lead; see $work/log" >&2
  return 1
}

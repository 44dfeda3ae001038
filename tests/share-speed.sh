#!/usr/bin/env bash
# Loads from one nginx share beside aria2c (1 GiB) and rclone (10,000 × 8 KiB), three times each in turn, and prints the medians.
# Usage: bash tests/share-speed.sh [BYTES [FILES]]
# Measures the program as it is published; FILETRANSFER_PROGRAM names another filetransfer.dll.
set -euo pipefail
cd "$(dirname "$0")/.."

bytes=${1:-1073741824} files=${2:-10000}
. tests/share-servers.sh
if [ -z "${FILETRANSFER_PROGRAM:-}" ]; then
  program="$work/program/filetransfer"
  # shellcheck source=deploy/cluster.sh
  (. deploy/cluster.sh && publish_program) >>"$work/log" 2>&1
  program+=.dll
fi
median() { printf '%s\n' "$@" | sort -n | sed -n 2p; }
seconds() { # COMMAND…: how long it takes.
  local from
  from=$(date +%s.%N)
  "$@" >>"$work/log" 2>&1 || { echo "failed: $*" >&2; tail -5 "$work/log" >&2; return 1; }
  echo "$(date +%s.%N) $from" | awk '{ printf "%.2f", $1 - $2 }'
}

node a 18082
head -c "$bytes" /dev/urandom >"$work/large"
ft put "$work/large" --owner 0x01 --bucket 0x01 --location large --url http://127.0.0.1:18082 >/dev/null
mkdir "$work/small"
head -c $((files * 8192)) /dev/urandom | split -b 8192 -a 6 -d - "$work/small/f"
(ft put --recursive "$work/small" --owner 0x01 --bucket 0x02 --url http://127.0.0.1:18082 >/dev/null)
ft export "$work/share-large" --bucket 0x01 --url http://127.0.0.1:18082 >/dev/null 2>>"$work/log"
ft export "$work/share-small" --bucket 0x02 --url http://127.0.0.1:18082 >/dev/null 2>>"$work/log"
stop_last
chmod -R a+rX "$work"
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 2; pid $work/nginx.pid; error_log stderr; user root;
events { }
http { access_log off; sendfile on; server { listen 127.0.0.1:18080; root $work; location / { autoindex on; } } }
CONF
start /usr/sbin/nginx -e stderr -c "$work/nginx.conf"
for part in large small; do
  python3 - "$work/share-$part/index.ndjson" "$work/$part.json" <<'PY'
import json, sys
files = [json.loads(line) for line in open(sys.argv[1])]
json.dump({"files": {file["label"]: file["key"] for file in files}, "metadata": {file["label"]: {k: v for k, v in file.items() if k not in ("key", "label")} for file in files}}, open(sys.argv[2], "w"))
PY
done
large=$(basename "$(find "$work/share-large" -size +1M ! -name '*.*' | head -1)")
sum=$(sha256sum "$work/large" | cut -d' ' -f1)
declare -A took
for round in 1 2 3; do
  for part in large small; do
    node "n$round$part" 18082 "--FileTransfer:Sources:0:Name=web" "--FileTransfer:Sources:0:Url=http://127.0.0.1:18080/share-$part/"
    took[load-$part]+=" $(seconds ft load "$work/$part.json" --deadline 20m --wait --url http://127.0.0.1:18082)"
    stop_last
    rm -rf "$work/n$round$part"
  done
  took[aria2c]+=" $(seconds aria2c -x8 -s8 --checksum=sha-256="$sum" -d "$work/aria" -o large "http://127.0.0.1:18080/share-large/$large")"
  rm -rf "$work/aria"
  took[rclone]+=" $(seconds rclone copy --http-url http://127.0.0.1:18080/share-small/ :http: "$work/rclone" --filter '- *.*')"
  rm -rf "$work/rclone"
done
for what in load-large aria2c load-small rclone; do
  # shellcheck disable=SC2086
  echo "$what: $(median ${took[$what]}) s of${took[$what]}"
done
aria2c --version | head -1
rclone version | head -1
nginx -v

#!/usr/bin/env bash
# FileTransfer beside what people would use instead, on this (Linux) machine, by turns on the same files: fingerprints,
# downloads, replication, memory. Prints medians and ratios as tables; leaves nothing behind, starts nothing outside a folder of its own.
#
#   bash tests/FileTransfer.Benchmarks/compare.sh [options]
#
#   --rounds N        how often each is measured (3)
#   --large MIB       size of the large file (1024)
#   --small N         how many small files (10000), of --small-bytes N (8192) each
#   --clients N       downloads at once (64), of --parallel-megabytes N (100) each
#   --only LIST       of fingerprint,download,puts,large,small,tree,spread,memory,rest; separated by commas (all but rest)
#   --rest N          how many files of 1 KiB are at rest (1000000): making them takes minutes
#   --report FILE     where the tables go too
#   --baseline REV    this build beside the build of a revision, instead of peers: all but tree, spread, memory and rest, and idle nodes (idle)
#   --program FILE    a published filetransfer, instead of one that is built first
#   --no-install      peers that are missing are skipped, not installed
#
# A follower's time runs from the notice that the feed has something for it to the commit that made its last file stored, by
# the database's clock; the follower is empty, and warm: it has replicated a few other files before. A peer's time runs from
# its start to its end, what it wrote made durable. What is read is in the page cache each time.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."

rounds=3 large_megabytes=1024 small_files=10000 small_bytes=8192 clients=64 parallel_megabytes=100 rest_files=1000000 install=true
only=fingerprint,download,puts,large,small,tree,spread,memory report=/dev/null built="" baseline=""
while [ $# -gt 0 ]; do
  case "$1" in
    --no-install) install=false && shift && continue ;;
    --*) [ $# -ge 2 ] || { echo "$1 needs a value" >&2 && exit 2; } ;;&
    --rounds) rounds="$2" ;;
    --large) large_megabytes="$2" ;;
    --small) small_files="$2" ;;
    --small-bytes) small_bytes="$2" ;;
    --clients) clients="$2" ;;
    --parallel-megabytes) parallel_megabytes="$2" ;;
    --only) only="$2" ;;
    --rest) rest_files="$2" ;;
    --baseline) baseline="$(git rev-parse --verify --short "$2^{commit}")" || exit 2 ;;
    --report) report="$(realpath -- "$2")" ;;
    --program) built="$(realpath -- "$2")" ;;
    *) sed -n '5,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
  esac
  shift 2
done

root="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-compare.XXXXXX")"
chmod 711 "$root" # the database may run as another user
work="$root"
program="$root/program/filetransfer"
mkdir -m 1777 "$root/tmp"
export TMPDIR="$root/tmp" FILETRANSFER_OWNER=0x6f776e6572 FILETRANSFER_BUCKET=0x6265
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
. deploy/postgres-binaries.sh
. deploy/cluster.sh
began_at="$(now_ms)"
time_program="$(type -P time)" || as_root apt-get install -y -q time >/dev/null 2>&1 || true
time_program="$(type -P time)" || fail "GNU time is not here and could not be installed; install the package time"
. tests/FileTransfer.Benchmarks/compare/meter.sh
. tests/FileTransfer.Benchmarks/compare/peers.sh
. tests/FileTransfer.Benchmarks/compare/syncthing.sh
. tests/FileTransfer.Benchmarks/compare/iroh.sh
. tests/FileTransfer.Benchmarks/compare/cluster.sh
. tests/FileTransfer.Benchmarks/compare/fingerprint.sh
. tests/FileTransfer.Benchmarks/compare/download.sh
. tests/FileTransfer.Benchmarks/compare/replicate.sh
. tests/FileTransfer.Benchmarks/compare/puts.sh
. tests/FileTransfer.Benchmarks/compare/spread.sh
. tests/FileTransfer.Benchmarks/compare/memory.sh
. tests/FileTransfer.Benchmarks/compare/rest.sh
. tests/FileTransfer.Benchmarks/compare/baseline.sh

clean_up() {
  trap '' INT TERM HUP
  end_runs
  stop_all
  rm -rf -- "$root"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

chosen() { [[ ",$only," == *",$1,"* ]]; } # part

make_large_file() {
  [ ! -d "$root/large" ] || return 0
  mkdir "$root/large"
  head -c $((large_megabytes * 1024 * 1024)) /dev/urandom >"$root/large/file"
}

make_small_files() {
  mkdir "$root/small"
  head -c $((small_files * small_bytes)) /dev/urandom | split -b "$small_bytes" -a 6 -d - "$root/small/"
}

# The SDK as a real tree: its folders and sizes. Names that a URL would have to escape or a
# listing hides, and empty files, are left out.
make_tree() {
  local sdk
  sdk="$(dirname -- "$(readlink -f -- "$(command -v dotnet)")")/sdk/$(dotnet --version)"
  mkdir "$root/tree"
  (cd "$sdk" && find . -type f -size +0c -regex '[A-Za-z0-9._/-]*' ! -path '*/.?*' -print0 | tar --null -cf - -T -) | tar -C "$root/tree" -xf -
}

: >"$report" || fail "$report cannot be written"
if [ "$report" = /dev/null ]; then report="$root/report"; fi
ensure_postgres_binaries || { explain_missing_postgres && exit 1; }
find_psql
find_peers
find_iroh
if [ -n "$built" ]; then program="$built"; else publish_program; fi
say "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1); load $(cut -d ' ' -f 1-3 /proc/loadavg); $rounds rounds; $(date -u +%F)"

if [ -n "$baseline" ]; then compare_with_baseline "$baseline" && exit; fi
if chosen fingerprint; then compare_fingerprints; fi
if chosen download; then compare_downloads; fi
if chosen puts; then compare_puts; fi
if chosen large; then make_large_file && compare_replication large "one large file"; fi
if chosen small; then make_small_files && compare_replication small "small files of $small_bytes bytes"; fi
if chosen tree; then make_tree && compare_replication tree "the .NET SDK's folder"; fi
if chosen large || chosen small || chosen tree; then print_guarantees; fi
if chosen spread; then compare_spread; fi
if chosen memory; then measure_memory; fi
if chosen rest; then measure_files_at_rest; fi
say "" "Load at the end: $(cut -d ' ' -f 1-3 /proc/loadavg)"

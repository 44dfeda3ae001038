#!/usr/bin/env bash
# Shows at full size what many sources bring, on this machine, and prints a table: 1 GiB from four sources of 50 MB/s, the same with one
# of them stopped halfway, a follower killed halfway, and 100 MB to eight followers of a leader that may send 20 MB/s.
# Needs the .NET 10 SDK, PostgreSQL's programs, 6 GiB of memory, and a machine that does nothing else meanwhile. Ends with 1 when a bound
# is not kept. Arguments go to `dotnet test`.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."
. deploy/postgres-binaries.sh
ensure_postgres_binaries || { explain_missing_postgres; exit 1; }

table="$(mktemp "${TMPDIR:-/tmp}/filetransfer-sources.XXXXXX")"
trap 'rm -f -- "$table"' EXIT

export FILETRANSFER_SHOW=full FILETRANSFER_SHOW_TABLE="$table"
status=0
dotnet test tests/FileTransfer.IntegrationTests -c Release --filter FullyQualifiedName~ManySourcesTests \
  --logger "console;verbosity=minimal" "$@" || status=$?

printf '\n| shown | measured | at most |\n|---|---|---|\n'
cat -- "$table"
exit "$status"

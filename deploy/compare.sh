#!/usr/bin/env bash
# Fetches a file and compares it with the original; exit 255 tells xargs to stop at the first difference.
#   compare.sh PROGRAM URL KEY ORIGINAL
set -uo pipefail
"$1" get "$3" --url "$2" --output - | cmp -- - "$4" || exit 255

#!/usr/bin/env bash
# Checks docs/openapi.json: that spectral's rules for OpenAPI find no error and no warning in it, and that a client generated from it compiles and, where a
# node's address is given, puts, gets, lists and removes a file there.    bash tests/openapi.sh [http://127.0.0.1:8080]
# Ends with 77, and says why, where a tool is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/openapi"

skip() { echo "Not checked: $*"; exit 77; }
for program in node npm; do command -v "$program" >/dev/null || skip "$program is not on this machine."; done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node 20 or newer is needed; this is $(node --version)."

# Installed once for each lock file.
tools="/var/tmp/filetransfer-openapi-tools-$(id -u)"
mkdir -p -m 700 -- "$tools" && [ -O "$tools" ] || skip "$tools belongs to somebody else."
exec 9>"$tools/.lock"
flock 9
if ! cmp -s package-lock.json "$tools/installed"; then
  rm -f -- "$tools/installed"
  cp -- package.json package-lock.json "$tools/"
  npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$tools" >&2 || skip "npm could not install what tests/openapi/package.json names."
  cp -- package-lock.json "$tools/installed"
fi

work="$(mktemp -d "$tools/work.XXXXXX")"
trap 'rm -rf -- "$work"' EXIT
cp -- client.ts tsconfig.json ruleset.yaml ../../docs/openapi.json "$work/"
cd "$work"
bin="$tools/node_modules/.bin"
"$bin/spectral" lint openapi.json --ruleset ruleset.yaml --fail-severity warn
"$bin/openapi-typescript" openapi.json --output openapi.ts >/dev/null
"$bin/tsc"
if [ $# -gt 0 ]; then node client.js "$1"; else echo "Not tried: the client, for no node's address was given."; fi

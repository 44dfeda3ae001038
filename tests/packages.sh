#!/usr/bin/env bash
# Makes the packages of deploy/packages.sh and installs each as its user would: the tool by `dotnet tool install`, the single program where no .NET is, and the
# Debian package in a Debian that is made here. Each runs a node on a PostgreSQL of this machine, which takes a file and gives it back; the Debian package is
# then removed and leaves the data. Takes some minutes and 2 GB below TMPDIR. Not checked: systemd, which is not in that Debian.
# With --published FOLDER, what `dotnet publish` has put there becomes the Debian package, which is unpacked and not installed, and there is no single program:
# half a minute. Ends with 77, and says why, where something is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
. tests/deploy/cluster.sh

published="" version=1.2.3-test.4 made_of=()
if [ "${1:-}" = --published ]; then
  published="${2:?--published takes a folder}"
  version="$(dotnet "$published/filetransfer.dll" --version)" version="${version%%+*}"
  made_of=(--published "$published" deb tool)
else
  [ "$(id -u)" -eq 0 ] || skip "only root can install a Debian package."
  command -v debootstrap >/dev/null || skip "debootstrap is not on this machine."
fi
for needed in dpkg-deb dotnet; do command -v "$needed" >/dev/null || skip "$needed is not on this machine."; done
said() { printf '%-52s %s\n' "$1" "$2"; }

begun=$SECONDS
bash deploy/packages.sh --version "$version" --output "$work/packages" ${made_of[@]+"${made_of[@]}"} >"$work/made.log" 2>&1 || fail "the packages could not be made"
cat "$work/made.log"
said "packages made" "$((SECONDS - begun)) s"

start_database
printf 'Host=%s;Port=%s;Username=filetransfer' "$PGHOST" "$PGPORT" >"$work/server"
export HOME="$work/home"
mkdir "$HOME"
head -c 20000000 /dev/urandom >"$work/file"

# A node by a command, which is asked for a file by the same one. Its database is its own.
try() { # name, command…
  local name="$1" port log="$work/$1.log" key node
  shift
  createdb --username=filetransfer "$name"
  port="$(free_port)"
  mkdir -p "$work/data-$name"
  [[ "$("$@" --version)" = "$version"* ]] || fail "$name says it is version $("$@" --version)"
  "$@" serve --ConnectionStrings:Postgres="$(cat "$work/server");Database=$name" --FileTransfer:DataDirectory="$work/data-$name" \
    --FileTransfer:Store:FreeSpaceFloorBytes=0 --Urls="http://127.0.0.1:$port" >"$log" 2>&1 &
  node="$!"
  children+=("$node")
  wait_for 60 "a node of $name to be ready" "$@" healthcheck --ready --url "http://127.0.0.1:$port"
  key="$("$@" put "$work/file" --owner 0x11 --bucket 0x22 --url "http://127.0.0.1:$port" | cut -d ' ' -f 1)"
  "$@" get "$key" --url "http://127.0.0.1:$port" --output "$work/copy-$name" >/dev/null
  cmp "$work/file" "$work/copy-$name" || fail "$name does not give back what was put"
  # Its words about parameters are in a file beside the program.
  curl -sS --fail -o "$work/swagger" "http://127.0.0.1:$port/swagger/v1/swagger.json"
  grep -q 'or give it as locationHex' "$work/swagger" || fail "$name describes no routes"
  kill -TERM "$node"
  wait "$node" || fail "the node of $name ended with $?"
  said "$name" "a node, a file put and read, an orderly end"
}

# ── the tool
(cd "$work" && dotnet tool install filetransfer --version "$version" --add-source "$work/packages" --tool-path "$work/tools" >"$work/install.log" 2>&1) ||
  fail "the tool could not be installed"
try tool "$work/tools/filetransfer"

files_of_debian() { # root
  local file
  for file in bash-completion/completions/filetransfer zsh/vendor-completions/_filetransfer fish/vendor_completions.d/filetransfer.fish; do
    grep -q filetransfer "$1/usr/share/$file" || fail "/usr/share/$file completes nothing"
  done
  program_of_unit="$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$1/usr/lib/systemd/system/filetransfer.service")"
  test -x "$1$program_of_unit" || fail "the unit starts $program_of_unit, which is not there"
}

if [ -n "$published" ]; then
  dpkg-deb --extract "$work"/packages/*.deb "$work/debian"
  [[ "$(dpkg-deb --field "$work"/packages/*.deb Depends)" = *aspnetcore-runtime-10.0* ]] || fail "the Debian package does not ask for the runtime that it needs"
  files_of_debian "$work/debian"
  try deb "$work/debian/usr/bin/filetransfer"
  exit
fi

# ── the single program, in a place where .NET is not found
single=("$work"/packages/filetransfer-*.tar.gz)
if [ -e "${single[0]}" ]; then
  mkdir "$work/single"
  tar -C "$work/single" -xzf "${single[0]}" --strip-components=1
  try single env -i PATH=/usr/bin:/bin DOTNET_ROOT=/nowhere "$work/single/filetransfer"
else
  said "single" "not checked: $(tail -n 1 "$work/made.log")"
fi

# ── the Debian package
debian="$work/debian"
depends="$(dpkg-deb --field "$work"/packages/*.deb Depends | tr -d ' ' | tr ',' '\n' | cut -d '|' -f 1 | paste -sd ,)"
debootstrap --variant=minbase --include="$depends" bookworm "$debian" >"$work/debootstrap.log" 2>&1 ||
  skip "Debian's packages cannot be had here: $(tail -n 1 "$work/debootstrap.log")"
cp "$work"/packages/*.deb "$debian/filetransfer.deb"
chroot "$debian" dpkg --install /filetransfer.deb >"$work/dpkg.log" 2>&1 || fail "the Debian package could not be installed: $(cat "$work/dpkg.log")"
in_debian() { chroot "$debian" "$@"; }
[ "$(in_debian stat -c '%a %U' /etc/filetransfer/filetransfer.env)" = "600 root" ] || fail "the settings are not root's alone"
files_of_debian "$debian"
# The node in it sees this machine's folder of the test under the same name.
mkdir -p "$debian$work"
mount --bind "$work" "$debian$work" 2>/dev/null || skip "nothing can be mounted here."
mount -t proc proc "$debian/proc"
clean_up_debian() {
  umount --lazy "$debian/proc" "$debian$work" 2>/dev/null || true
  clean_up
}
trap clean_up_debian EXIT
try deb chroot "$debian" /usr/bin/filetransfer
mkdir -p "$debian/var/lib/filetransfer/content"
chroot "$debian" dpkg --purge filetransfer >"$work/dpkg.log" 2>&1 || fail "the Debian package could not be removed: $(cat "$work/dpkg.log")"
grep -q "were left as they are" "$work/dpkg.log" && [ -d "$debian/var/lib/filetransfer/content" ] || fail "the data went with the package"
[ ! -e "$debian/usr/lib/filetransfer" ] && [ ! -e "$debian/etc/filetransfer/filetransfer.env" ] || fail "the package left something behind"
said "removed again" "the data stays"

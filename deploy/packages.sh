#!/usr/bin/env bash
# Makes what puts `filetransfer` on a machine, in a folder: for this kind of machine (linux-x64, linux-arm64), and one package for all kinds.
#
#   bash deploy/packages.sh [--version V] [--output FOLDER] [--published PROGRAM] [KIND…]
#
#   deb     filetransfer_V_ARCH.deb              for Debian and Ubuntu: the program on PATH, completion, and a service of systemd that waits to be enabled
#   single  filetransfer-V-linux-ARCH.tar.gz     one program, the library of SQLite, and the settings
#   tool    filetransfer.V.nupkg                 for `dotnet tool install`; needs the ASP.NET Core 10 runtime, as `dotnet` does
#
# Without a KIND, all three. The first two bring the runtime along: where it cannot be had from the package source, the Debian package depends on Debian's
# aspnetcore-runtime-10.0 instead, and there is no single program. V is the version, by default 0.0.0; FOLDER is packages/ here. PROGRAM is a folder that
# `dotnet publish` has filled from the Release build of this checkout, for this kind of machine and with that version: it is packed, and nothing built again,
# to try a package soon; the Debian package is then larger.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

fail() { echo "FAILED: $*" >&2; exit 1; }
usage() { sed -n '2,/^set /{/^#/!d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

version=0.0.0 output=packages published="" is_built=false kinds=()
while [ $# -gt 0 ]; do
  case "$1" in
    --version) version="${2:?a version is missing}" && shift 2 ;;
    --output) output="${2:?a folder is missing}" && shift 2 ;;
    --published) published="$(cd "${2:?a folder is missing}" && pwd)" && is_built=true && shift 2 ;;
    deb | single | tool) kinds+=("$1") && shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
done
[ "${#kinds[@]}" -gt 0 ] || kinds=(deb single tool)
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "'$version' is no version: three numbers, as in 1.2.3, and -beta.1 after them where it is one"

case "$(uname -sm)" in
  "Linux x86_64") runtime=linux-x64 architecture=amd64 ;;
  "Linux aarch64") runtime=linux-arm64 architecture=arm64 ;;
  *) fail "packages are made on Linux, on x86_64 or aarch64, not on $(uname -sm)" ;;
esac
dotnet --version >/dev/null 2>&1 || fail "the .NET 10 SDK is not here. Install it (https://dotnet.microsoft.com/download/dotnet/10.0) and run this again"
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

mkdir -p "$output"
output="$(cd "$output" && pwd)"
work="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-packages.XXXXXX")"
trap 'rm -rf -- "$work"' EXIT

build() { # verb, options
  dotnet "$1" src/FileTransfer --configuration Release --artifacts-path "$work/build" --disable-build-servers -v quiet -p:RestoreLockedMode=true -p:RunAnalyzers=false \
    -p:Version="$version" "${@:2}"
}

# Once for both that need it. `runs` is what the program needs to run: nothing, or what Debian calls the runtime.
runs=""
if [ -e "$published/filetransfer.dll" ]; then runs=aspnetcore-runtime-10.0; fi
publish() {
  [ -z "$published" ] || return 0
  published="$work/published"
  if build publish --runtime "$runtime" --output "$published" -p:SelfContained=true -p:PublishSingleFile=true \
    -p:PublishReadyToRunComposite=false -p:EnableSingleFileAnalyzer=false -p:DebugType=none; then return; fi
  echo "The runtime for $runtime could not be had: the program is made to run with one that is installed."
  rm -rf -- "$published"
  runs=aspnetcore-runtime-10.0
  build publish --output "$published" -p:DebugType=none || fail "the program could not be built"
}

make_tool() {
  if "$is_built"; then
    dotnet pack src/FileTransfer --no-build --configuration Release --disable-build-servers -v quiet -p:Version="$version" --output "$output" ||
      fail "the tool could not be packed"
  else
    build pack --output "$output" || fail "the tool could not be packed"
  fi
  made "filetransfer.$version.nupkg"
}

make_single() {
  publish
  [ -z "$runs" ] || { echo "Not made: the single program, for want of its runtime." && return; }
  local name="filetransfer-$version-$runtime"
  cp -R "$published" "$work/$name"
  cp LICENSE "$work/$name/"
  tar -C "$work" --owner=0 --group=0 --numeric-owner --sort=name -czf "$output/$name.tar.gz" "$name"
  made "$name.tar.gz"
}

make_deb() {
  command -v dpkg-deb >/dev/null || fail "dpkg-deb is not on this machine; it is part of Debian and Ubuntu. The other packages: bash deploy/packages.sh single tool"
  publish
  local root="$work/debian" name="filetransfer_${version/-/\~}_$architecture.deb"
  install -d "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/etc/filetransfer" "$root/usr/share/doc/filetransfer"
  cp -R "$published" "$root/usr/lib/filetransfer"
  rm -f -- "$root"/usr/lib/filetransfer/*.pdb
  ln -s ../lib/filetransfer/filetransfer "$root/usr/bin/filetransfer"
  # The unit as it is, but for where the program lies and the words about how it comes there.
  sed -e '2,/^$/d' -e 's#/opt/filetransfer#/usr/lib/filetransfer#g' deploy/systemd/filetransfer.service >"$root/usr/lib/systemd/system/filetransfer.service"
  install -m 0600 deploy/debian/filetransfer.env "$root/etc/filetransfer/"
  install -m 0644 LICENSE "$root/usr/share/doc/filetransfer/copyright"
  local shell place
  for shell in bash:bash-completion/completions/filetransfer zsh:zsh/vendor-completions/_filetransfer fish:fish/vendor_completions.d/filetransfer.fish; do
    place="$root/usr/share/${shell#*:}"
    mkdir -p "$(dirname -- "$place")"
    "$published/filetransfer" completion "${shell%%:*}" >"$place"
  done
  install -m 0755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN/"
  echo /etc/filetransfer/filetransfer.env >"$root/DEBIAN/conffiles"
  sed -e "s/@VERSION@/${version/-/\~}/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f 1)/" \
    -e "s/@RUNS@/${runs:+, $runs}/" deploy/debian/control >"$root/DEBIAN/control"
  find "$root" -type d -exec chmod 0755 {} +
  find "$root/usr/lib/filetransfer" -type f ! -name filetransfer -exec chmod 0644 {} +
  # What is only to be tried is not worth the ten seconds that xz takes.
  local compression=(-Zxz)
  if "$is_built"; then compression=(-Zgzip); fi
  dpkg-deb --root-owner-group "${compression[@]}" --build "$root" "$output/$name" >/dev/null
  made "$name"
}

made() { printf '%-44s %s MB\n' "$output/$1" "$(($(stat -c %s "$output/$1") / 1000000))"; }

for kind in "${kinds[@]}"; do "make_$kind"; done

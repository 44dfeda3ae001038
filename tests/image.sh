#!/usr/bin/env bash
# Builds the image of the Dockerfile and runs it, with buildah and without a registry: the images that it begins from are made here, of Debian and the
# .NET of this machine, under the names of its FROM lines. The node in it connects to a PostgreSQL of this machine as a role of its own, is asked by its health
# check, takes a file and gives it back, and stops when it is told to. Prints how long that took, how large the image is, and how much memory the node had.
# Takes some minutes and 5 GB below TMPDIR. What is not checked: the images that are really at those names, and what an engine's own isolation adds
# (a read-only root, limits of memory and processes): buildah runs the node in a chroot. Ends with 77, and says why, where something is missing.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
. tests/deploy/cluster.sh

[ "$(id -u)" -eq 0 ] || skip "only root can build with buildah's chroot isolation."
for needed in buildah debootstrap dotnet; do command -v "$needed" >/dev/null || skip "$needed is not on this machine."; done
dotnet_root="$(dirname -- "$(readlink -f -- "$(command -v dotnet)")")"
[ -d "$dotnet_root/sdk" ] && [ -d "$dotnet_root/shared/Microsoft.AspNetCore.App" ] || skip "no .NET SDK is in $dotnet_root."
{ mapfile -t bases < <(sed -n 's/^FROM \([^ ]*\).*/\1/p' Dockerfile); } && [ "${#bases[@]}" -eq 2 ] || fail "the Dockerfile has other FROM lines than this knows"

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/storage" --runroot "$work/run" "$@"; }
node=""
clean_up_image() {
  [ -z "$node" ] || kill -KILL "$node" 2>/dev/null || true
  buildah rm --all >/dev/null 2>&1 || true
  clean_up
}
trap clean_up_image EXIT
said() { printf '%-52s %s\n' "$1" "$2"; }

# ── the images that the build begins from
begun=$SECONDS
debootstrap --variant=minbase --include=ca-certificates,libgcc-s1,libicu72,libssl3,libstdc++6,tzdata,zlib1g bookworm "$work/debian" >"$work/debootstrap.log" 2>&1 ||
  skip "Debian's packages cannot be had here: $(tail -n 1 "$work/debootstrap.log")"
rm -rf -- "$work/debian/var/cache/apt"/*.bin "$work/debian/var/cache/apt/archives"/*.deb "$work/debian/var/lib/apt/lists"/*
chroot "$work/debian" useradd --uid 1654 --user-group --create-home app

base() { # name, folders of .NET
  local container name="$1" folder
  shift
  container="$(buildah from scratch)"
  buildah add --quiet "$container" "$work/debian" / >/dev/null
  for folder in "$@"; do buildah add --quiet "$container" "$dotnet_root/$folder" "/usr/share/dotnet/$folder" >/dev/null; done
  buildah run "$container" -- ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
  buildah config --env APP_UID=1654 --env ASPNETCORE_HTTP_PORTS=8080 --env DOTNET_RUNNING_IN_CONTAINER=true --env DOTNET_NOLOGO=true \
    --env DOTNET_CLI_TELEMETRY_OPTOUT=1 --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet --rm --format docker "$container" "$name" >/dev/null
}

runtime=(dotnet host shared)
present=()
for folder in packs sdk sdk-manifests templates library-packs metadata; do [ ! -e "$dotnet_root/$folder" ] || present+=("$folder"); done
base "${bases[0]}" "${runtime[@]}" "${present[@]}"
base "${bases[1]}" "${runtime[@]}"
said "images to begin from, made here" "$((SECONDS - begun)) s"

# ── the image
begun=$SECONDS
mounts=(--volume /etc/ssl/certs:/etc/ssl/certs:ro --volume /usr/share/ca-certificates:/usr/share/ca-certificates:ro)
[ ! -d /usr/local/share/ca-certificates ] || mounts+=(--volume /usr/local/share/ca-certificates:/usr/local/share/ca-certificates:ro)
# Where this machine has NuGet packages from.
[ ! -e "$HOME/.nuget/NuGet/NuGet.Config" ] || mounts+=(--volume "$HOME/.nuget/NuGet:/root/.nuget/NuGet:ro")
buildah bud --pull-never --network host --format docker "${mounts[@]}" ${NUGET_CERT_REVOCATION_MODE:+--env NUGET_CERT_REVOCATION_MODE=$NUGET_CERT_REVOCATION_MODE} \
  --build-arg VERSION=test --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" --tag filetransfer:test . >"$work/build.log" 2>&1 ||
  fail "the image could not be built"
said "image built" "$((SECONDS - begun)) s"

container="$(buildah from --pull-never filetransfer:test)"
inside="$(buildah mount "$container")"
said "the program in it" "$(du -sh --apparent-size "$inside/opt/filetransfer" | cut -f 1)"
said "all of it, with Debian and .NET of this machine" "$(du -shx --apparent-size "$inside" | cut -f 1)"
[ "$(find "$inside/opt/filetransfer" ! -user 0 | wc -l)" -eq 0 ] || fail "what is in /opt/filetransfer is not all root's"
[ "$(stat -c '%u %g' "$inside/data")" = "1654 1654" ] || fail "/data is not the node's"
config() { buildah inspect --type image --format "{{$1}}" filetransfer:test; }
[ "$(config .Docker.Config.User)" = 1654 ] || fail "it does not run as 1654 but as $(config .Docker.Config.User)"
entrypoint="$(config .Docker.Config.Entrypoint)" command="$(config .Docker.Config.Cmd)" health="$(config .Docker.Config.Healthcheck.Test)"
[ "$entrypoint $command" = "[/opt/filetransfer/filetransfer] [serve]" ] || fail "it begins with $entrypoint $command"
[ "$health" = "[CMD /opt/filetransfer/filetransfer healthcheck]" ] || fail "its health check is $health"

# ── a node in it
start_database
export HOME="$work" DOTNET_NOLOGO=true
printf 'Host=%s;Port=%s;Username=filetransfer;Database=filetransfer' "$PGHOST" "$PGPORT" >"$work/admin"
dotnet "$program" database create-role image --database-file "$work/admin" --output "$work/string" >/dev/null
sed -i 's/Host=[^;]*/Host=127.0.0.1;GSS Encryption Mode=Disable/' "$work/string" && chown 1654 "$work/string"
token="$(openssl rand -hex 32)" port="$(free_port)"
mkdir "$work/data" && chown 1654:1654 "$work/data"
in_container() { # command…: as the image's own user
  buildah run --network host --user 1654 --volume "$work/data:/data" --volume "$work/string:/run/secrets/database:ro" --env Urls="http://127.0.0.1:$port" \
    --env FILETRANSFER_URL="http://127.0.0.1:$port" --env FileTransfer__NodeId=image --env ConnectionStrings__PostgresFile=/run/secrets/database \
    --env FileTransfer__Store__FreeSpaceFloorBytes=0 --env FileTransfer__Tokens__0__Name=admin --env FileTransfer__Tokens__0__Scopes__0=admin \
    --env FileTransfer__Tokens__0__Sha256="$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)" "$container" -- "$@"
}

begun="$(date +%s%N)"
in_container /opt/filetransfer/filetransfer serve >"$work/node.log" 2>&1 &
running="$!"
children+=("$running")
wait_for 60 "the node to be ready" in_container /opt/filetransfer/filetransfer healthcheck --ready
said "from its start until its health check says ready" "$((($(date +%s%N) - begun) / 1000000)) ms"
for process in /proc/[0-9]*; do
  if [ "$({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null)" = "/opt/filetransfer/filetransfer serve " ] && [ "$(stat -c %u "$process")" = 1654 ] &&
    grep -qz "^FILETRANSFER_URL=http://127.0.0.1:$port\$" "$process/environ"; then node="${process#/proc/}"; fi
done
[ -n "$node" ] || fail "no process of the node runs as 1654"

head -c 100000000 /dev/urandom >"$work/file"
key="$(curl -sS --fail -H "Authorization: Bearer $token" --data-binary @"$work/file" "http://127.0.0.1:$port/v1/files?owner=0x11&bucket=0x22&location=file" |
  sed -n 's/.*"key":"\([^"]*\)".*/\1/p')"
[ -n "$key" ] || fail "the node does not take a file"
curl -sS --fail -H "Authorization: Bearer $token" -o "$work/copy" "http://127.0.0.1:$port/v1/files/$key/content"
cmp -s "$work/file" "$work/copy" || fail "the node does not give back what was put"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/v1/files/$key/content")" = 401 ] || fail "a request without a token is let in"
memory="$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$node/status")"
said "memory at most, after 100 MB in and out" "$((memory / 1024)) MB"
[ "$memory" -lt $((300 * 1024)) ] || fail "the node had $((memory / 1024)) MB"

kill -TERM "$node"
wait "$running" || fail "the node ended with $?"
node=""
said "it was built, it ran as 1654, and it stopped" "in order"

#!/usr/bin/env bash
# Plays docker-compose.yml with deploy/compose-tls.yml without Docker: PostgreSQL and the three nodes are processes with the settings, secrets,
# roles, certificates and health checks of these files; only names of hosts, ports and paths are those of this machine. Then certificates are renewed
# while a file is uploaded and others are read: no request fails. Last, what `helm test` runs.
# What only a container engine does is not checked: images, networks, limits, volumes, read-only roots.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."
. tests/deploy/cluster.sh
tools="$(bash tests/deploy/tools.sh 2>&1)" || skip "${tools##*$'\n'}"
tools="${tools##*$'\n'}"

# ── secrets and certificates, by the scripts that make them
mkdir -p "$work/deploy" "$work/bin"
cp deploy/secrets.sh deploy/certificates.sh "$work/deploy/"
bash "$work/deploy/secrets.sh"
bash "$work/deploy/certificates.sh" >/dev/null
[ "$(stat -c %a "$work/secrets" "$work/.env" | tr '\n' ' ')" = "700 600 " ] || fail "others may read the secrets"
set -a && . "$work/.env" && set +a
tls="$work/secrets/tls" authority="$work/secrets/tls/authority/certificate.pem"
printf '#!/bin/sh\nexec dotnet %s "$@"\n' "$program" >"$work/bin/filetransfer" && chmod +x "$work/bin/filetransfer"
export PATH="$work/bin:$PATH" DOTNET_NOLOGO=true

# ── PostgreSQL, with its certificate, and the nodes' roles
install -m 640 "$tls/postgres/key.pem" "$work/postgres-key.pem"
if [ "$(id -u)" -eq 0 ]; then chgrp postgres "$work/postgres-key.pem"; else chmod 600 "$work/postgres-key.pem"; fi
cp "$tls/postgres/certificate.pem" "$work/postgres.pem"
start_database -c ssl=on -c "ssl_cert_file=$work/postgres.pem" -c "ssl_key_file=$work/postgres-key.pem"
mkdir "$work/shown" && cp "$work"/secrets/node-?-database "$work/shown/"
POSTGRES_USER=filetransfer POSTGRES_DB=filetransfer SECRETS="$work/shown" NODE_ROLE=src/FileTransfer/Postgres/Roles/node_role.sql bash deploy/postgres-roles.sh

# ── nodes
declare -A ports
for name in a b c; do ports[$name]="$(free_port)"; done
url() { echo "https://localhost:${ports[$1]}"; }

environment_of() { # name: as the files have it, with this machine's paths and ports
  sed "s|=/run/tls/|=$tls/node-$1/|; s|/run/secrets/|$work/secrets/node-$1-|; s|https://+:7070|https://127.0.0.1:${ports[$1]}|
    s|https://node-$1:7070|$(url "$1")|; s|https://localhost:7070|$(url "$1")|" < <(node "$tools/check.mjs" environment "node-$1" docker-compose.yml deploy/compose-tls.yml)
}

start_node() { # name
  sed -i "s|Host=postgres;|Host=localhost;Port=$database_port;|; s|/run/tls/|$tls/node-$1/|" "$work/secrets/node-$1-database-tls"
  mv "$work/secrets/node-$1-database-tls" "$work/secrets/node-$1-database"
  mkdir "$work/node-$1"
  environment_of "$1" >"$work/node-$1.environment"
  (
    cd "$work/node-$1"
    mapfile -t environment <"$work/node-$1.environment"
    exec env "${environment[@]}" FileTransfer__DataDirectory="$work/node-$1/data" FileTransfer__Store__FreeSpaceFloorBytes=0 dotnet "$program" serve
  ) >"$work/node-$1.log" 2>&1 &
  children+=("$!")
}

is_ready() { # name: the health check of the files
  mapfile -t environment < <(grep ^FILETRANSFER_ "$work/node-$1.environment")
  env "${environment[@]}" filetransfer healthcheck --ready
}

for name in a b c; do start_node "$name"; done
for name in a b c; do wait_for 60 "node-$name to be ready" is_ready "$name"; done
admin=(-sS --fail --cacert "$authority" -H "Authorization: Bearer $FILETRANSFER_ADMIN_TOKEN")
leader="$(curl "${admin[@]}" "$(url a)/v1/leader" | sed -n 's/.*"node":"node-\([abc]\)".*/\1/p')"
[ -n "$leader" ] || fail "nobody leads"
others="$(psql -XtA --username=filetransfer --dbname=filetransfer --command="SELECT count(DISTINCT usename) || ' ' || bool_and(ssl)
  FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name LIKE 'node-%'")"
[ "$others" = "3 true" ] || fail "nodes do not connect by TLS, with a role each: $others"
[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$authority" "$(url a)/v1/files")" = 401 ] || fail "a request without a token is let in"

# ── certificates are renewed in the middle of transfers
export FILETRANSFER_AUTHORITY="$authority" FILETRANSFER_TOKEN="$FILETRANSFER_ADMIN_TOKEN" FILETRANSFER_OWNER=0x11 FILETRANSFER_BUCKET=0x22
head -c 40000000 /dev/urandom >"$work/file"
key="$(filetransfer put "$work/file" --location first --url "$(url "$leader")" | cut -d ' ' -f 1)"
filetransfer status "$key" --wait 60s --url "$(url "$leader")" >/dev/null

serial() { openssl s_client -connect "127.0.0.1:${ports[$1]}" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
declare -A before
for name in a b c; do before[$name]="$(serial "$name")"; done

touch "$work/going-on"
requests() { # name: reads by a connection each, until it is told to end
  local count=0
  while [ -e "$work/going-on" ]; do
    curl "${admin[@]}" -o "$work/read-$1" "$(url "$1")/v1/files/$key/content" || { echo "a read at node-$1 failed" >>"$work/failed"; return; }
    cmp -s "$work/file" "$work/read-$1" || echo "a read at node-$1 has other bytes" >>"$work/failed"
    count=$((count + 1))
  done
  echo "$count" >>"$work/reads"
}
for name in a b c; do requests "$name" & readers+=("$!"); children+=("$!"); done
{ head -c 25000000 "$work/file"; echo second; } >"$work/file-2"
curl "${admin[@]}" --limit-rate 1M --data-binary @"$work/file-2" -o "$work/uploaded" \
  "$(url "$leader")/v1/files?owner=0x11&bucket=0x22&location=second" 2>"$work/upload-errors" &
upload="$!"
children+=("$upload")
wait_for 10 "the upload to be under way" sh -c "curl ${admin[*]@Q} '$(url "$leader")/v1/uploads' | grep -q '\"location\|\"key\|\"bytes'"
bash "$work/deploy/certificates.sh" >/dev/null
is_renewed() { [ "$(serial "$1")" != "${before[$1]}" ]; }
for name in a b c; do wait_for 30 "node-$name to show its new certificate" is_renewed "$name"; done
kill -0 "$upload" 2>/dev/null || fail "the upload ended before the certificates were new"
wait "$upload" || fail "the upload failed: $(cat "$work/upload-errors")"
second="$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' "$work/uploaded")"
filetransfer status "$second" --wait 60s --url "$(url "$leader")" >/dev/null || fail "nodes do not follow with new certificates"
rm "$work/going-on"
for reader in "${readers[@]}"; do wait "$reader" || true; done
[ ! -e "$work/failed" ] || fail "$(cat "$work/failed")"

# ── what `helm test` runs
"$tools/bin/helm" template files deploy/helm/filetransfer --set database.existingSecret=d,nodeTokens.existingSecret=t >"$work/chart.yaml"
(
  cd "$work"
  FILETRANSFER_URL="$(url "$leader")" NODES="$(url a) $(url b) $(url c)" sh -euc "$(node "$tools/check.mjs" probe "$work/chart.yaml")"
) >"$work/probe.log" 2>&1 || fail "what helm test runs: $(cat "$work/probe.log")"

echo "Certificates of three nodes were renewed during an upload of $(stat -c %s "$work/file-2") bytes and $(awk '{ s += $1 } END { print s }' "$work/reads") reads; none failed."

#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml needs, beside it:  bash deploy/secrets.sh
#   .env       the token of whoever calls the nodes, and the hashes of all tokens; read by compose and by `. ./.env`
#   secrets/   a file for each secret that a container is shown; the folder is for this user alone
# What is there stays. One token and its SHA-256 by hand:  t=$(openssl rand -hex 32); echo "$t"; printf %s "$t" | sha256sum
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."

if [ -e .env ] || [ -e secrets/postgres-password ]; then
  echo "There are .env or secrets/ already. Remove both for new ones; a database that exists keeps its old passwords." >&2
  exit 1
fi

secret() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

sha256() { printf %s "$1" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1; }

umask 077
mkdir -p secrets
{
  admin="$(secret)"
  echo "FILETRANSFER_ADMIN_TOKEN=$admin"
  echo "FILETRANSFER_ADMIN_TOKEN_SHA256=$(sha256 "$admin")"
  for name in a b c; do
    token="$(secret)" password="$(secret)"
    printf %s "$token" >"secrets/node-$name-token"
    # No GSS encryption: the image has no Kerberos library.
    database="Host=postgres;Database=filetransfer;Username=node-$name;Password=$password;GSS Encryption Mode=Disable"
    printf %s "$database" >"secrets/node-$name-database"
    printf %s "$database;SSL Mode=VerifyFull;Root Certificate=/run/tls/authority.pem" >"secrets/node-$name-database-tls"
    echo "FILETRANSFER_NODE_$(printf %s "$name" | tr a-z A-Z)_TOKEN_SHA256=$(sha256 "$token")"
  done
  token="$(secret)"
  printf %s "$token" >secrets/prometheus-token
  echo "FILETRANSFER_PROMETHEUS_TOKEN_SHA256=$(sha256 "$token")"
  for name in postgres grafana; do secret >"secrets/$name-password"; done
  echo "# https between nodes and to PostgreSQL, after 'bash deploy/certificates.sh':"
  echo "#COMPOSE_FILE=docker-compose.yml:deploy/compose-tls.yml"
} >.env
# Each container runs as a user of its own, and is shown the files that are its own; on this machine the folder keeps others out.
chmod a+r secrets/*

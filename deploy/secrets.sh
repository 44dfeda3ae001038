#!/usr/bin/env bash
# Prints fresh secrets for docker-compose.yml:  (umask 077; bash deploy/secrets.sh > .env)
# One token and its SHA-256 by hand:  t=$(openssl rand -hex 32); echo "$t"; printf %s "$t" | sha256sum
set -euo pipefail

secret() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

sha256() { printf %s "$1" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1; }

admin="$(secret)"
node="$(secret)"
cat <<ENVIRONMENT
POSTGRES_PASSWORD=$(secret)
FILETRANSFER_ADMIN_TOKEN=$admin
FILETRANSFER_ADMIN_TOKEN_SHA256=$(sha256 "$admin")
FILETRANSFER_NODE_TOKEN=$node
FILETRANSFER_NODE_TOKEN_SHA256=$(sha256 "$node")
ENVIRONMENT

#!/usr/bin/env bash
# Makes the nodes' roles, with the passwords of their connection strings. PostgreSQL's image runs it when it makes its database; in one that exists:
#   docker compose exec postgres bash /docker-entrypoint-initdb.d/roles.sh
set -eo pipefail

for file in "${SECRETS:-/run/secrets}"/*-database; do
  psql --quiet --no-psqlrc --output=/dev/null --set=ON_ERROR_STOP=1 --single-transaction --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=role="$(sed -n 's/.*;Username=\([^;]*\).*/\1/p' "$file")" --set=verifier="$(sed -n 's/.*;Password=\([^;]*\).*/\1/p' "$file")" \
    --set=connections=60 --file="${NODE_ROLE:-/roles/node_role.sql}"
done

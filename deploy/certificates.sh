#!/usr/bin/env bash
# Makes certificates for deploy/compose-tls.yml in secrets/tls, a folder for each that shows one: an authority (10 years), once, and by it a certificate for
# each node and for PostgreSQL (90 days). Run again, it renews these; nodes read theirs again by themselves, PostgreSQL after
#   docker compose restart postgres
# With names, it makes certificates for these hosts alone: bash deploy/certificates.sh node-d
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
folder="${FILETRANSFER_TLS:-secrets/tls}"

umask 077
mkdir -p "$folder/authority"
if ! [ -e "$folder/authority/key.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=FileTransfer authority" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$folder/authority/key.pem" -out "$folder/authority/certificate.pem" 2>/dev/null
fi

certificate() { # host
  local own="$folder/$1" new="$folder/$1/.new"
  rm -rf -- "$new" && mkdir -p "$new"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$new/key.pem" -out "$new/request.pem" 2>/dev/null
  openssl x509 -req -days 90 -in "$new/request.pem" -CA "$folder/authority/certificate.pem" -CAkey "$folder/authority/key.pem" -CAcreateserial \
    -extfile <(
      echo "basicConstraints=critical,CA:FALSE"
      echo "keyUsage=critical,digitalSignature"
      echo "extendedKeyUsage=serverAuth,clientAuth"
      echo "subjectAltName=DNS:$1,DNS:localhost,IP:127.0.0.1,URI:urn:filetransfer:node:$1"
    ) -out "$new/certificate.pem" 2>/dev/null
  cp -- "$folder/authority/certificate.pem" "$new/authority.pem"
  chmod a+r "$new"/*.pem
  # The certificate last: whoever reads both meanwhile finds that they do not fit, and reads them again.
  mv -- "$new/authority.pem" "$new/key.pem" "$new/certificate.pem" "$own/"
  rm -rf -- "$new"
  chmod a+rx "$own"
  echo "$own: until $(openssl x509 -noout -enddate -in "$own/certificate.pem" | cut -d= -f2)"
}

[ "$#" -gt 0 ] || set -- node-a node-b node-c postgres
for host in "$@"; do certificate "$host"; done
mkdir -p "$folder/prometheus" && cp -- "$folder/authority/certificate.pem" "$folder/prometheus/authority.pem"
chmod a+rx "$folder/prometheus" && chmod a+r "$folder/prometheus/authority.pem"

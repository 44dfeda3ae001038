# shellcheck shell=bash
# Sourced by compare.sh: two nodes of iroh on loopback, without relays or discovery. Its library comes from npm; 0.35 is the newest that has blobs.
: "${root:?}" "${install:?}"

export IROH_FOLDER="$root/iroh"

find_iroh() {
  mkdir "$IROH_FOLDER"
  cp tests/FileTransfer.Benchmarks/compare/iroh.mjs "$IROH_FOLDER"
  if [ "$install" = true ] && have npm && npm install --silent --no-fund --no-audit --prefix "$IROH_FOLDER" @number0/iroh@0.35.0 >"$IROH_FOLDER/log" 2>&1; then
    peers+=(iroh)
  else
    say "Skipped: iroh. It takes Node.js, npm, and the package @number0/iroh 0.35.0 from its registry."
  fi
}

start_iroh() { # folder
  server_port=0
  rm -rf -- "$IROH_FOLDER"/{has,gets}
  start_metered_server bash -c 'exec node "$IROH_FOLDER/iroh.mjs" serve "$IROH_FOLDER/has" "$1" >"$IROH_FOLDER/ticket" 2>"$IROH_FOLDER/log"' iroh "$1"
  wait_for 300 "iroh to have the files" test -s "$IROH_FOLDER/ticket"
}

copy_with_iroh() { # list, port, folder
  node "$IROH_FOLDER/iroh.mjs" get "$IROH_FOLDER/gets" "$(cat "$IROH_FOLDER/ticket")" "$3"
  sync_files "$3"
}

export -f copy_with_iroh

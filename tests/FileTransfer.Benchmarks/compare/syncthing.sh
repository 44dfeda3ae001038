# shellcheck shell=bash
# Sourced by compare.sh: two syncthings on loopback, driven over their REST interface. Needs `root`, `free_port`, `metered` and curl.
: "${root:?}"

# An instance that knows nobody and asks nobody; it listens on loopback only.
make_syncthing() { # name
  local home="$root/syncthing-$1" config="$root/syncthing-$1/config.xml"
  syncthing generate --home="$home" --no-default-folder --skip-port-probing >"$home.log" 2>&1 || return 1
  free_port >"$home.gui"
  while :; do
    free_port >"$home.port"
    cmp -s "$home.gui" "$home.port" || break
  done
  sed -i -E \
    -e "s,<listenAddress>[^<]*,<listenAddress>tcp://127.0.0.1:$(cat "$home.port")," \
    -e 's,<(globalAnnounceEnabled|localAnnounceEnabled|relaysEnabled|natEnabled|crashReportingEnabled|startBrowser)>true,<\1>false,' \
    -e 's,<reconnectionIntervalS>[0-9]+,<reconnectionIntervalS>1,' \
    -e 's,<autoUpgradeIntervalH>[0-9]+,<autoUpgradeIntervalH>0,' \
    -e 's,<urAccepted>[-0-9]+,<urAccepted>-1,' \
    -e "s,<address>127.0.0.1:[0-9]+,<address>127.0.0.1:$(cat "$home.gui")," "$config"
  sed -n 's,.*<apikey>\(.*\)</apikey>.*,\1,p' "$config" >"$home.key"
  syncthing --home="$home" --device-id >"$home.id"
}

start_syncthing() { # name
  local home="$root/syncthing-$1" pid
  STNODEFAULTFOLDER=1 STNOUPGRADE=1 syncthing serve --home="$home" --no-browser --no-restart --logfile=- >>"$home.log" 2>&1 &
  pid=$!
  children+=("$pid")
  echo "$pid" >"$home.pid"
  wait_for 30 "syncthing to answer" syncthing_answers "$1"
}

syncthing_answers() { ask_syncthing "$1" GET /rest/system/ping >/dev/null 2>&1; }

ask_syncthing() { # name, method, path, body
  local home="$root/syncthing-$1"
  curl --silent --fail --request "$2" --header "X-API-Key: $(cat "$home.key")" ${4:+--data "$4"} \
    "http://127.0.0.1:$(cat "$home.gui")$3"
}

introduce() { # name, name of the other
  ask_syncthing "$1" POST /rest/config/devices "{\"deviceID\":\"$(cat "$root/syncthing-$2.id")\",\"name\":\"$2\",
    \"addresses\":[\"tcp://127.0.0.1:$(cat "$root/syncthing-$2.port")\"],\"compression\":\"never\"}"
}

share_folder() { # name, folder, kind, other
  ask_syncthing "$1" POST /rest/config/folders "{\"id\":\"f\",\"path\":\"$2\",\"type\":\"$3\",\"fsWatcherEnabled\":false,
    \"devices\":[{\"deviceID\":\"$(cat "$root/syncthing-$4.id")\"}]}"
}

number_of() { # name, field of the folder's state
  ask_syncthing "$1" GET '/rest/db/status?folder=f' | sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p"
}

syncthing_scanned() { # files
  [ "$(number_of sender localFiles)" = "$1" ]
}

syncthing_connected() { ask_syncthing sender GET /rest/system/connections | grep -q '"connected": *true'; }

syncthing_has_all() { # files
  [ "$(number_of receiver localFiles)" = "$1" ] && [ "$(number_of receiver needTotalItems)" = 0 ]
}

# From the moment the receiver is told of the folder until it has everything; the sender has scanned it before.
replicate_with_syncthing() { # case, files
  local began sender receiver before_sender before_receiver
  local -a sending receiving # each is a watching and a working process
  rm -rf -- "$root"/syncthing-*
  { make_syncthing sender && make_syncthing receiver; } || { say "Skipped: syncthing. It could not be set up." && return 0; }
  start_syncthing sender
  start_syncthing receiver
  sender="$(cat "$root/syncthing-sender.pid")" receiver="$(cat "$root/syncthing-receiver.pid")"
  introduce sender receiver
  introduce receiver sender
  share_folder sender "$root/$1" sendonly receiver
  wait_for 600 "syncthing to scan $2 files" syncthing_scanned "$2"
  wait_for 60 "the two syncthings to connect" syncthing_connected
  mapfile -t sending < <(tree_of "$sender")
  mapfile -t receiving < <(tree_of "$receiver")
  before_sender="$(cpu_of "${sending[@]}")" before_receiver="$(cpu_of "${receiving[@]}")"
  forget_peak "${sending[@]}"
  mkdir "$root/copy"
  began="$(now_ms)"
  share_folder receiver "$root/copy" receiveonly sender
  wait_for 900 "syncthing to copy $2 files" syncthing_has_all "$2"
  record "$1" syncthing seconds "$(awk -v ms=$(($(now_ms) - began)) 'BEGIN { print ms / 1000 }')"
  record "$1" syncthing source-cpu "$(difference "$before_sender" "$(cpu_of "${sending[@]}")")"
  record "$1" syncthing cpu "$(difference "$before_receiver" "$(cpu_of "${receiving[@]}")")"
  record "$1" syncthing source-memory "$(peak_megabytes "${sending[@]}")"
  record "$1" syncthing memory "$(peak_megabytes "${receiving[@]}")"
  stop "$sender" "$receiver"
  reap "$sender"
  reap "$receiver"
  # Its marker in what it sent is none of the files.
  rm -rf -- "$root"/syncthing-* "$root/$1/.stfolder"
  put_aside "$root/copy"
}

# shellcheck shell=bash
# Sourced by compare.sh: the programs that people would use instead. Each function that copies is one whole use of a peer, with its
# content durable on disk when it ends. Needs `root`, `free_port`, and the list of a case in $root/CASE.list (paths below $root/CASE).
: "${root:?}" "${install:?}"

peers=()
server_port=0

have() { command -v "$1" >/dev/null; }

# Makes a peer usable, by apt-get where that is possible; otherwise says why it is skipped.
want_peer() { # name, program, Debian package
  if ! have "$2" && have apt-get && [ "$install" = true ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$3" >/dev/null 2>&1 || true
  fi
  if have "$2"; then
    peers+=("$1")
  else
    say "Skipped: $1. $2 is not here and could not be installed; install the package $3."
  fi
}

wanted() { [[ " ${peers[*]} " == *" $1 "* ]]; } # peer

# A Debian package may start a service; ours are started by hand on ports of their own, so installed services are left as they are.
find_peers() {
  have curl || as_root apt-get install -y -q curl >/dev/null 2>&1 || true
  have curl || fail "curl is not here and could not be installed"
  want_peer nginx nginx nginx-light
  want_peer rsync rsync rsync
  want_peer rclone rclone rclone
  want_peer aria2c aria2c aria2
  want_peer syncthing syncthing syncthing
  want_peer b2sum b2sum coreutils
  want_peer sha256sum sha256sum coreutils
  if wanted rsync && ! rsync --help | grep -- --fsync >/dev/null; then
    peers=("${peers[@]/#rsync/too-old}")
    say "Skipped: rsync. This one has no --fsync; 3.2.4 or newer has."
  fi
  if ! wanted nginx; then say "Without nginx no file is served over HTTP: rclone, aria2c and curl are skipped with it."; fi
}

# ── HTTP: nginx with sendfile

start_nginx() { # folder
  server_port="$(free_port)"
  mkdir -p "$root/nginx"
  cat >"$root/nginx.conf" <<CONF
daemon off;
worker_processes auto;
pid $root/nginx/pid;
error_log $root/nginx/error.log;
$([ "$(id -u)" -ne 0 ] || echo "user root;")
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000;
  default_type application/octet-stream;
  client_body_temp_path $root/nginx/body;
  proxy_temp_path $root/nginx/proxy;
  fastcgi_temp_path $root/nginx/fastcgi;
  uwsgi_temp_path $root/nginx/uwsgi;
  scgi_temp_path $root/nginx/scgi;
  server { listen 127.0.0.1:$server_port; root $1; autoindex on; }
}
CONF
  start_metered_server nginx -e "$root/nginx/error.log" -c "$root/nginx.conf"
  wait_for 10 "nginx to answer" answers "$server_port"
}

answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # port

# ── rsync

start_rsync_daemon() { # folder, "no" where it may be written to
  server_port="$(free_port)"
  cat >"$root/rsyncd.conf" <<CONF
address = 127.0.0.1
port = $server_port
use chroot = no
pid file = $root/rsyncd.pid
lock file = $root/rsyncd.lock
log file = $root/rsyncd.log
$([ "$(id -u)" -ne 0 ] || printf 'uid = root\ngid = root')
[files]
path = $1
read only = ${2:-yes}
CONF
  rm -f -- "$root/rsyncd.pid"
  start_metered_server rsync --daemon --no-detach --config="$root/rsyncd.conf"
  wait_for 10 "the rsync daemon to answer" answers "$server_port"
}

copy_with_rsync() { # list, port, folder
  rsync --archive --fsync --port="$2" rsync://127.0.0.1/files/ "$3/"
}

# ── over HTTP; what they leave to the kernel is made durable file by file, and then folder by folder

sync_files() { find "$1" -depth -print0 | xargs -0 sync; } # folder

copy_with_rclone() { # list, port, folder
  rclone copy --config /dev/null --http-url "http://127.0.0.1:$2/" --transfers 8 --checkers 8 :http: "$3" --quiet
  sync_files "$3"
}

copy_with_aria2c() { # list, port, folder: with the SHA-256 of each file, which the caller knows beforehand
  aria2c --quiet --no-conf --input-file="$1.aria2" --dir="$3" --split=8 --max-connection-per-server=8 --min-split-size=1M \
    --max-concurrent-downloads=8 --file-allocation=none --allow-overwrite=true
  sync_files "$3"
}

copy_with_curl() { # list, port, folder
  (cd "$3" && curl --silent --fail --parallel --parallel-max 8 --create-dirs --config "$1.curl")
  sync_files "$3"
}

copy_with_curl_tee() { # list, port, folder: the hash of what came, beside the one that the caller knows beforehand
  local part parts=()
  (cd "$3" && sed 's,/*[^/]*$,,' "$1" | sort -u | sed 's,^,./,' | tr '\n' '\0' | xargs -0 mkdir -p)
  for part in 0 1 2 3; do
    curl_tee_part "$1" "$2" "$3" "$part" &
    parts+=($!)
  done
  for part in "${parts[@]}"; do wait "$part"; done
  sync_files "$3"
}

curl_tee_part() { # list, port, folder, part of 4
  local path expected actual
  awk -v part="$4" 'NR % 4 == part' "$1.b2" | while read -r expected path; do
    actual="$(curl --silent --fail --globoff "http://127.0.0.1:$2/$path" | tee "$3/$path" | b2sum --length 256)"
    [ "${actual%% *}" = "$expected" ] || exit 1
  done
}

export -f copy_with_rsync sync_files copy_with_rclone copy_with_aria2c copy_with_curl copy_with_curl_tee curl_tee_part

# What the peers are told before they start; not measured. Port 0 stands for the port of the run.
write_lists() { # case
  local list="$root/$1.list"
  (cd "$root/$1" && find . -type f | sed 's,^\./,,' | sort) >"$list"
  sed 's,^\(.*\)$,url = "http://127.0.0.1:PORT/\1"\noutput = "\1",' "$list" >"$list.curl.in"
  if wanted aria2c; then
    (cd "$root/$1" && tr '\n' '\0' <"$list" | xargs -0 sha256sum) |
      sed 's,^\([0-9a-f]*\) .\(.*\)$,http://127.0.0.1:PORT/\2\n out=\2\n checksum=sha-256=\1,' >"$list.aria2.in"
  fi
  if wanted b2sum; then (cd "$root/$1" && tr '\n' '\0' <"$list" | xargs -0 b2sum --length 256) >"$list.b2"; fi
}

fill_in_port() { # case, port
  local form
  for form in curl aria2; do
    if [ -f "$root/$1.list.$form.in" ]; then sed "s,:PORT/,:$2/," "$root/$1.list.$form.in" >"$root/$1.list.$form"; fi
  done
}

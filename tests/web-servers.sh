#!/usr/bin/env bash
# Serves one share by the web servers that people have, loads it from each by a node of its own, and prints the table of docs/shares.md.
# Needs a machine to itself: it installs Debian packages and npm packages. Usage: bash tests/web-servers.sh [NAME…]
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/share-servers.sh
sizes=(1 1024 60000 1000000 4194304 5000000 12000000 40000000)

until_answers() { # URL
  for _ in $(seq 300); do curl -s -o /dev/null "$1" && return 0; sleep 0.1; done
  echo "nothing answers at $1; see $work/log" >&2
  return 1
}

# Between a node and a server: counts requests and bytes.
cat >"$work/count.py" <<'PY'
import asyncio, os, re, sys
listen, target, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
count = {"requests": 0, "bytes": 0, "connections": 0}
def save():
    # Whoever reads it meanwhile finds all of it.
    with open(out + ".new", "w") as f:
        f.write(f"{count['requests']} {count['bytes']} {count['connections']}")
    os.replace(out + ".new", out)
async def pipe(reader, writer, seen):
    try:
        while data := await reader.read(65536):
            seen(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        save()
        writer.close()
async def serve(reader, writer):
    count["connections"] += 1
    try:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", target)
    except OSError:
        writer.close()
        return
    def asked(data): count["requests"] += len(re.findall(rb"(?:^|\r\n)GET /", data))
    def sent(data): count["bytes"] += len(data)
    await asyncio.gather(pipe(reader, back_writer, asked), pipe(back_reader, writer, sent))
async def main():
    save()
    async with await asyncio.start_server(serve, "127.0.0.1", listen) as server:
        await server.serve_forever()
asyncio.run(main())
PY

# measure NAME VERSION PATH: what is served at port 18080 below PATH, by a node that knows only keys.
measure() {
  local name=$1 version=$2 path=$3
  until_answers "http://127.0.0.1:18080$path" || { echo "| $name | $version | did not start | | | |"; return; }
  start python3 "$work/count.py" 18081 18080 "$work/$name.count"
  node "n-$name" 18082 "--FileTransfer:Sources:0:Name=web" "--FileTransfer:Sources:0:Url=http://127.0.0.1:18081$path"
  ft load "$work/order.json" --name all --deadline 3m --wait --json --url http://127.0.0.1:18082 >"$work/$name.json" 2>>"$work/log" || true
  stop_last
  stop_last
  python3 - "$work/$name.json" "$work/$name.count" "$name" "$version" "$content" <<'PY'
import json, sys
load = json.load(open(sys.argv[1]))
requests, sent, connections = open(sys.argv[2]).read().split()
print(f"| {sys.argv[3]} | {sys.argv[4]} | {load['stored']} of {load['files']} | {requests} | {int(sent):,} | {int(sent) / int(sys.argv[5]):.2f} | {connections} |")
PY
}

wants() { [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }
only=("$@")

debian() { dpkg -s "$1" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$work/log" 2>&1; }
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null | sed 's/^[0-9]*://; s/[-+~].*//'; }
of_npm() { (cd "$work" && npm install --silent --no-fund --no-audit "$1" >>"$work/log" 2>&1); }

[ -n "${FILETRANSFER_PROGRAM:-}" ] || dotnet build src/FileTransfer -c Release -v q --nologo >>"$work/log"
share=$work/share
node a 18090
for size in "${sizes[@]}"; do
  head -c "$size" /dev/urandom >"$work/content"
  ft put "$work/content" --owner 0x01 --bucket 0x02 --location "file of $size" --url http://127.0.0.1:18090 >/dev/null
done
ft export "$share" --url http://127.0.0.1:18090 2>>"$work/log" >/dev/null
stop_last
chmod -R a+rX "$work" "$share"
content=0
for size in "${sizes[@]}"; do content=$((content + size)); done
python3 - "$share/index.ndjson" "$work/order.json" <<'PY'
import json, sys
files = [json.loads(line) for line in open(sys.argv[1])]
json.dump({"files": {file["label"]: file["key"] for file in files}}, open(sys.argv[2], "w"))
PY

echo "| server | version | stored | requests | bytes | of the contents | connections |"
echo "|---|---|---|---|---|---|---|"

nginx_conf() { # FILE DIRECTIVES
  cat >"$work/$1" <<CONF
daemon off; master_process off; pid $work/nginx.pid; error_log stderr; user root;
events { }
http {
  access_log off; client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$2; location /share/ { alias $share/; $3 } }
}
CONF
}

origin() { nginx_conf origin.conf 18070 ""; start /usr/sbin/nginx -e stderr -c "$work/origin.conf"; until_answers http://127.0.0.1:18070/share/; }

if wants nginx; then
  debian nginx-light; nginx_conf nginx.conf 18080 ""; start /usr/sbin/nginx -e stderr -c "$work/nginx.conf"
  measure nginx "$(version nginx-light || version nginx)" /share/; stop_last
fi
if wants nginx-without-ranges; then
  debian nginx-light; nginx_conf nginx.conf 18080 "max_ranges 0;"; start /usr/sbin/nginx -e stderr -c "$work/nginx.conf"
  measure nginx-without-ranges "$(version nginx-light || version nginx)" /share/; stop_last
fi
if wants apache; then
  debian apache2-bin
  cat >"$work/apache.conf" <<CONF
ServerName localhost
ServerRoot $work
Listen 127.0.0.1:18080
PidFile $work/apache.pid
ErrorLog $work/apache.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
User www-data
Group www-data
Alias /share/ $share/
<Directory $share>
  Require all granted
</Directory>
CONF
  start apache2 -D FOREGROUND -f "$work/apache.conf"; measure apache "$(version apache2-bin)" /share/; stop_last
fi
if wants lighttpd; then
  debian lighttpd
  cat >"$work/lighttpd.conf" <<CONF
server.document-root = "$work"
server.bind = "127.0.0.1"
server.port = 18080
CONF
  start lighttpd -D -f "$work/lighttpd.conf"; measure lighttpd "$(version lighttpd)" /share/; stop_last
fi
if wants caddy; then
  debian caddy; start caddy file-server --root "$work" --listen 127.0.0.1:18080
  measure caddy "$(version caddy)" /share/; stop_last
fi
if wants haproxy; then
  debian nginx-light; debian haproxy; origin
  cat >"$work/haproxy.cfg" <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:18080
  default_backend b
backend b
  server s 127.0.0.1:18070
CONF
  start haproxy -db -f "$work/haproxy.cfg"; measure haproxy "$(version haproxy)" /share/; stop_last; stop_last
fi
if wants varnish; then
  debian nginx-light; debian varnish; origin
  start varnishd -F -n "$work/varnish" -a 127.0.0.1:18080 -b 127.0.0.1:18070 -s malloc,256m
  measure varnish "$(version varnish)" /share/; stop_last; stop_last
fi
if wants squid; then
  debian nginx-light; debian squid; origin
  cat >"$work/squid.conf" <<CONF
http_port 127.0.0.1:18080 accel defaultsite=127.0.0.1
cache_peer 127.0.0.1 parent 18070 0 no-query originserver
http_access allow all
cache_mem 256 MB
maximum_object_size_in_memory 64 MB
pid_filename $work/squid.pid
access_log none
cache_log $work/squid.log
coredump_dir $work
CONF
  start squid -N -f "$work/squid.conf"; measure squid "$(version squid)" /share/; stop_last; stop_last
fi
if wants rclone-http; then
  debian rclone; start rclone serve http "$work" --addr 127.0.0.1:18080; measure rclone-http "$(version rclone)" /share/; stop_last
fi
if wants rclone-webdav; then
  debian rclone; start rclone serve webdav "$work" --addr 127.0.0.1:18080; measure rclone-webdav "$(version rclone)" /share/; stop_last
fi
if wants busybox; then
  debian busybox; start busybox httpd -f -p 127.0.0.1:18080 -h "$work"; measure busybox "$(version busybox)" /share/; stop_last
fi
if wants python; then
  start python3 -m http.server 18080 --bind 127.0.0.1 --directory "$work"; measure python "$(python3 -V | cut -d' ' -f2)" /share/; stop_last
fi
for package in http-server serve sirv-cli; do
  if wants "$package"; then
    of_npm "$package"
    case $package in
      http-server) start "$work/node_modules/.bin/http-server" "$work" -a 127.0.0.1 -p 18080 ;;
      serve) start "$work/node_modules/.bin/serve" "$work" -l tcp://127.0.0.1:18080 ;;
      sirv-cli) start "$work/node_modules/.bin/sirv" "$work" --host 127.0.0.1 --port 18080 ;;
    esac
    measure "$package" "$(command node -p "require('$work/node_modules/$package/package.json').version")" /share/; stop_last
  fi
done
if wants s3rver; then
  of_npm s3rver; mkdir -p "$work/s3"
  start "$work/node_modules/.bin/s3rver" -d "$work/s3" -a 127.0.0.1 -p 18080 --configure-bucket share
  until_answers http://127.0.0.1:18080/
  for file in "$share"/*; do curl -sf -o /dev/null -T "$file" "http://127.0.0.1:18080/share/$(basename "$file")" || true; done
  measure s3rver "$(command node -p "require('$work/node_modules/s3rver/package.json').version")" /share/; stop_last
fi

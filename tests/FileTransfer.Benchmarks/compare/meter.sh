# shellcheck shell=bash
# Sourced by compare.sh: what a program takes (seconds, CPU seconds, peak resident memory), and tables of medians.
# Needs `root` (a folder of its own), `time_program` (GNU time) and cluster.sh. Per measured thing and figure a list with a number
# per round: $root/results/CASE/NAME.{seconds,cpu,memory,source-cpu,source-memory,database-cpu}.
: "${root:?}" "${time_program:?}" "${report:?}"

ticks="$(getconf CLK_TCK)"
server_meter=0 # the GNU time around the server of the run under way
run_meter=0    # the GNU time around the client of the run under way

# ── processes that were started here

children_of() { cat "/proc/$1/task/"*/children 2>/dev/null || true; } # process

tree_of() { # process: it and everything it started, the youngest last
  local child
  echo "$1"
  for child in $(children_of "$1"); do tree_of "$child"; done
}

# Ends what a meter runs; the meter then writes its figures and ends by itself.
end_metered() { # meter, signal
  local child
  for child in $(children_of "$1"); do kill "-$2" "$child" 2>/dev/null || true; done
  reap "$1"
}

# At an exit in the middle of a run.
end_runs() {
  local meter process
  for meter in "$run_meter" "$server_meter"; do
    if [ "$meter" -gt 0 ] && is_alive "$meter"; then
      for process in $(tree_of "$meter"); do kill -KILL "$process" 2>/dev/null || true; done
    fi
  done
}

# ── one run

record() { # case, name, figure, value
  mkdir -p "$root/results/$1"
  echo "$4" >>"$root/results/$1/$2.$3"
}

# Runs a function or a program and records its seconds, CPU seconds and memory.
metered() { # case, name, command…
  local case="$1" name="$2" began ended
  shift 2
  began="$(now_ms)"
  "$time_program" --quiet --format '%U %S %M' --output "$root/run.cost" \
    bash -c 'set -euo pipefail; "$@"' metered "$@" >"$root/run.out" 2>"$root/run.err" &
  run_meter=$!
  children+=("$run_meter")
  wait "$run_meter" || { tail -n 5 "$root/run.err" >&2 && fail "$name ended with an error ($case)"; }
  ended="$(now_ms)"
  reap "$run_meter"
  run_meter=0
  record "$case" "$name" seconds "$(awk -v ms=$((ended - began)) 'BEGIN { print ms / 1000 }')"
  record_cost "$case" "$name" "$root/run.cost" cpu memory
}

record_cost() { # case, name, file that GNU time wrote, figures for its CPU and its memory
  record "$1" "$2" "$4" "$(awk '{ print $1 + $2 }' "$3")"
  record "$1" "$2" "$5" "$(awk '{ print int($3 / 1024) }' "$3")"
}

start_metered_server() { # command…
  "$time_program" --quiet --format '%U %S %M' --output "$root/server.cost" "$@" >"$root/server.log" 2>&1 &
  server_meter=$!
  children+=("$server_meter")
}

stop_metered_server() { # signal
  end_metered "$server_meter" "$1"
  server_meter=0
}

# ── processes that go on running

cpu_of() { # processes: user and system seconds, those of ended children too
  local process
  for process in "$@"; do sed 's/^.*) //' "/proc/$process/stat" 2>/dev/null || true; done |
    awk -v ticks="$ticks" '{ sum += $12 + $13 + $14 + $15 } END { printf "%.2f\n", sum / ticks }'
}

difference() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.2f\n", to - from }'; }

# Peak memory counts from here on.
forget_peak() { # processes
  local process
  for process in "$@"; do echo 5 >"/proc/$process/clear_refs"; done
}

peak_megabytes() { # processes: the largest of them
  local process
  for process in "$@"; do awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$process/status"; done | sort -n | tail -n 1
}

# ── tables

median() { # file with a number per line
  sort -g "$1" | awk '{ value[NR] = $1 } END { if (NR) print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

# The median of a figure, or nothing where it was not measured.
median_of() { # case, name, figure
  if [ -s "$root/results/$1/$2.$3" ]; then median "$root/results/$1/$2.$3"; fi
}

spread_of() { # case, name, figure
  sort -g "$root/results/$1/$2.$3" | awk -v format="$spread_format" 'NR == 1 { low = $1 } END { printf format, low, $1 }'
}
spread_format='%.2f-%.2f'

ratio() { # a, b
  awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN { if (a > 0 && b > 0) printf "%.2f", a / b; else print "-" }'
}

scaled() { # number or nothing, factor, format
  if [ -n "$1" ]; then awk -v value="$1" -v factor="$2" -v format="$3" 'BEGIN { printf format, value * factor }'; else echo -; fi
}

# Lines of fields with tabs between them, as a table.
table() {
  awk -F '\t' '
    { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } fields = NF > fields ? NF : fields }
    END {
      for (row = 1; row <= NR; row++) {
        line = "|"
        for (i = 1; i <= fields; i++) line = line sprintf(i == 1 ? " %-" width[i] "s |" : " %" width[i] "s |", cell[row, i])
        print line
        if (row > 1) continue
        line = "|"
        for (i = 1; i <= fields; i++) { dashes = sprintf("%" width[i] "s", ""); gsub(/ /, "-", dashes); line = line (i == 1 ? " " dashes " |" : " " substr(dashes, 2) ": |") }
        print line
      }
    }'
}

say() { printf '%s\n' "$@" | tee -a "$report"; }

print_table() { # title; rows from standard input
  { printf '\n%s\n\n' "$1" && table; } | tee -a "$report"
}

# shellcheck shell=bash
# Sourced by compare.sh: the fingerprint of one large file in the page cache, beside programs that hash it.
: "${root:?}" "${program:?}" "${rounds:?}" "${large_megabytes:?}"

fingerprint_round() {
  local file="$root/large/file" one=(taskset --cpu-list 0)
  cat "$file" >/dev/null
  metered one-core filetransfer "${one[@]}" "$program" fingerprint "$file"
  metered one-core start "${one[@]}" "$program" fingerprint "$root/one-chunk"
  if wanted b2sum; then metered one-core "b2sum -l 256" "${one[@]}" b2sum --length 256 "$file"; fi
  if wanted sha256sum; then metered one-core sha256sum "${one[@]}" sha256sum "$file"; fi
  metered all-cores filetransfer "$program" fingerprint "$file"
  metered all-cores start "$program" fingerprint "$root/one-chunk"
  if wanted b2sum; then metered all-cores "b2sum -l 256" b2sum --length 256 "$file"; fi
  if wanted sha256sum; then metered all-cores sha256sum sha256sum "$file"; fi
}

# The program's own start is a part of its time here; a node that runs already does not pay it.
record_without_start() { # case
  local list="$root/results/$1/filetransfer"
  paste "$list.seconds" "$root/results/$1/start.seconds" | awk '{ print $1 - $2 }' >"$root/results/$1/filetransfer, started.seconds"
}

fingerprint_rows() { # case
  local name seconds reference
  reference="$(median_of "$1" "b2sum -l 256" seconds)"
  printf '%s\tseconds\tMiB/s\tspeed to b2sum\tCPU s per GiB\tpeak MB\tlow-high s\n' "$1"
  for name in filetransfer "filetransfer, started" "b2sum -l 256" sha256sum; do
    seconds="$(median_of "$1" "$name" seconds)"
    [ -n "$seconds" ] || continue
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$(scaled "$seconds" 1 %.2f)" \
      "$(ratio "$large_megabytes" "$seconds" | cut -d . -f 1)" "$(ratio "$reference" "$seconds")" \
      "$(scaled "$(median_of "$1" "$name" cpu)" "$(ratio 1024 "$large_megabytes")" %.2f)" \
      "$(scaled "$(median_of "$1" "$name" memory)" 1 %d)" "$(spread_of "$1" "$name" seconds)"
  done
}

compare_fingerprints() {
  local round case
  make_large_file
  head -c 1024 /dev/urandom >"$root/one-chunk"
  for ((round = 1; round <= rounds; round++)); do fingerprint_round; done
  for case in one-core all-cores; do
    record_without_start "$case"
    fingerprint_rows "$case" | print_table "Fingerprint of $large_megabytes MiB in the page cache, $case"
  done
  say "" "All cores against one: $(all_against_one filetransfer) × as a whole program, $(all_against_one "filetransfer, started") × without its start."
}

all_against_one() { ratio "$(median_of one-core "$1" seconds)" "$(median_of all-cores "$1" seconds)"; } # name

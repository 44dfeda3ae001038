# shellcheck shell=bash
# Sourced by compare.sh: the fingerprint of one large file in the page cache, beside programs that hash it.
: "${root:?}" "${program:?}" "${rounds:?}" "${large_megabytes:?}"

further_files=4

fingerprint_round() {
  local file="$root/large/file"
  cat "$file" >/dev/null
  fingerprint_with one-core taskset --cpu-list 0
  fingerprint_with all-cores
}

fingerprint_with() { # case, command that runs each
  local case="$1" several i
  shift
  several=("$file")
  for ((i = 0; i < further_files; i++)); do several+=("$file"); done
  metered "$case" filetransfer "$@" "$program" fingerprint "$file"
  metered "$case" several "$@" "$program" fingerprint "${several[@]}"
  if wanted b2sum; then metered "$case" "b2sum -l 256" "$@" b2sum --length 256 "$file"; fi
  if wanted sha256sum; then metered "$case" sha256sum "$@" sha256sum "$file"; fi
}

# A program that ends after one file pays for its start and for compiling what it needs; one that goes on, as a node does, does not.
record_further_file() { # case
  local list="$root/results/$1/filetransfer"
  paste "$list.seconds" "$root/results/$1/several.seconds" |
    awk -v files="$further_files" '{ print ($2 - $1) / files }' >"$root/results/$1/filetransfer, a further file.seconds"
}

fingerprint_rows() { # case
  local name seconds reference
  reference="$(median_of "$1" "b2sum -l 256" seconds)"
  printf '%s\tseconds\tMiB/s\tspeed to b2sum\tCPU s per GiB\tpeak MB\tlow-high s\n' "$1"
  for name in filetransfer "filetransfer, a further file" "b2sum -l 256" sha256sum; do
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
  for ((round = 1; round <= rounds; round++)); do fingerprint_round; done
  for case in one-core all-cores; do
    record_further_file "$case"
    fingerprint_rows "$case" | print_table "Fingerprint of $large_megabytes MiB in the page cache, $case"
  done
  say "" "All cores against one: $(all_against_one filetransfer) × as a whole program, $(all_against_one "filetransfer, a further file") × for a further file."
}

all_against_one() { ratio "$(median_of one-core "$1" seconds)" "$(median_of all-cores "$1" seconds)"; } # name

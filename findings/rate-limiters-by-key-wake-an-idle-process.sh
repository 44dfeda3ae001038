#!/usr/bin/env bash
# System.Threading.RateLimiting: a limiter that is partitioned by key wakes the process ten times a second, whether anybody asks it or not.
#
# Expected: PartitionedRateLimiter.Create costs nothing while no key was ever asked for: there is nothing to replenish and nothing to forget.
#           A chain (PartitionedRateLimiter.CreateChained) costs what one costs.
# Seen:     each has a timer of its own of 100 ms that runs until it is disposed; a tick wakes several threads. With one that nobody asks, threads
#           of an idle process wake up some seventy times a second, with eight (a chain of five bounds, two more, and the one that UseRateLimiter
#           makes for itself) more than a hundred times; without any, less than once.
#
# Needs the .NET 10 SDK and Linux. Run by hand; everything is made in a temporary folder and removed.
set -euo pipefail
work="$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")"
trap 'rm -rf -- "$work"' EXIT
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1

cat >"$work/program.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="System.Threading.RateLimiting" Version="[10.0.12]" />
  </ItemGroup>
</Project>
XML
cat >"$work/Program.cs" <<'CS'
using System.Threading.RateLimiting;

var limiters = Enumerable
    .Range(0, int.Parse(args[0]))
    .Select(_ =>
        PartitionedRateLimiter.Create<string, string>(key =>
            RateLimitPartition.GetConcurrencyLimiter(key, _ => new ConcurrencyLimiterOptions { PermitLimit = 1 })
        )
    )
    .ToList();
Thread.Sleep(2000);
var before = Wakes();
Thread.Sleep(5000);
Console.WriteLine((Wakes() - before) / 5);
limiters.ForEach(limiter => limiter.Dispose());

static long Wakes() =>
    Directory
        .GetDirectories("/proc/self/task")
        .SelectMany(task => File.ReadLines($"{task}/status"))
        .Where(line => line.StartsWith("voluntary_ctxt_switches:"))
        .Sum(line => long.Parse(line.Split(':')[1]));
CS
echo "System.Threading.RateLimiting 10.0.12, .NET $(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \(10[^ ]*\) .*/\1/p' | tail -1)"
dotnet build "$work" -c Release -v quiet -o "$work/out" -p:UseSharedCompilation=false >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
none="$(dotnet "$work/out/program.dll" 0)"
one="$(dotnet "$work/out/program.dll" 1)"
eight="$(dotnet "$work/out/program.dll" 8)"
echo "times a second that threads of an idle process wake up: without any $none, with one that nobody asks $one, with eight $eight"
[ "$none" -lt 10 ] && [ "$one" -ge 10 ] && [ "$eight" -gt "$one" ] || { echo "this has changed"; exit 1; }

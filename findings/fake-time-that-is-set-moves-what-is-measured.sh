#!/usr/bin/env bash
# Microsoft.Extensions.TimeProvider.Testing: FakeTimeProvider.AdjustTime sets the clock that durations are measured by, too.
#
# Expected: a wall clock that is set (by NTP, by hand) leaves TimeProvider.GetTimestamp alone, as with TimeProvider.System, whose timestamps never go
#           back: no time has passed, so GetElapsedTime is 0. Its documentation likens AdjustTime to a change of a real system's time.
# Seen:     timestamps are those of the wall clock. An hour back, and GetElapsedTime is -01:00:00; code that measures durations by the wall clock, and
#           fails when it is set, cannot be told from code that measures them by timestamps. Timers are left alone, as documented. A class that derives from it and overrides
#           GetUtcNow alone does not help: GetTimestamp asks GetUtcNow.
#
# Needs the .NET 10 SDK. Run by hand; everything is made in a temporary folder and removed.
set -euo pipefail
work="$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")"
trap 'rm -rf -- "$work"' EXIT

cat >"$work/program.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.Extensions.TimeProvider.Testing" Version="10.11.0" />
  </ItemGroup>
</Project>
XML
cat >"$work/Program.cs" <<'CS'
using System.Reflection;
using Microsoft.Extensions.Time.Testing;

var version = typeof(FakeTimeProvider).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
Console.WriteLine($"Microsoft.Extensions.TimeProvider.Testing {version.Split('+')[0]}, .NET {Environment.Version}");

var fake = new FakeTimeProvider();
var fired = false;
using var timer = fake.CreateTimer(_ => fired = true, null, TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan);
var begun = fake.GetTimestamp();
fake.AdjustTime(fake.GetUtcNow() - TimeSpan.FromHours(1));
var back = fake.GetElapsedTime(begun);
Console.WriteLine($"set back an hour: {back} measured, expected 00:00:00");
fake.AdjustTime(fake.GetUtcNow() + TimeSpan.FromHours(2));
var ahead = fake.GetElapsedTime(begun);
Console.WriteLine($"set two hours ahead: {ahead} measured, expected 00:00:00; a timer of ten minutes has {(fired ? "" : "not ")}fired");

var derived = new Derived();
begun = derived.GetTimestamp();
derived.SetBy = -TimeSpan.FromHours(1);
var ofDerived = derived.GetElapsedTime(begun);
Console.WriteLine($"a class that overrides GetUtcNow alone, set back an hour: {ofDerived} measured, expected 00:00:00");

var hour = TimeSpan.FromHours(1);
var isAsSeen = back == -hour && ahead == hour && !fired && ofDerived == -hour;
Console.WriteLine(isAsSeen ? "as seen before" : "CHANGED");
return isAsSeen ? 0 : 1;

internal sealed class Derived : FakeTimeProvider
{
    public TimeSpan SetBy { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + SetBy;
}
CS
dotnet run --project "$work" --verbosity quiet

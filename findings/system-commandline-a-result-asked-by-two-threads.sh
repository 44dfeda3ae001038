#!/usr/bin/env bash
# System.CommandLine: a finished ParseResult that two threads ask for a value by name at the same time throws that the command has two options of a name.
#
# Expected: a ParseResult is what was parsed: reading it changes nothing, so any number of threads may. Or, where it must not, the documentation says so.
# Seen:     the first GetValue by name fills a table of names that belongs to the result, without a lock. A second thread that comes meanwhile meets the
#           entries of the first and takes them for its own: most often InvalidOperationException, "Command … has more than one child named …", with the
#           name of an option that nobody has declared twice, such as the built-in --version; now and then another exception from inside the table. It is
#           rare enough to pass all tests of a program that asks late and in parallel. GetValue by the option itself is not concerned, nor is any by
#           name after the first one has returned.
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
    <Nullable>enable</Nullable>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="System.CommandLine" Version="3.0.0" />
  </ItemGroup>
</Project>
XML
cat >"$work/Program.cs" <<'CS'
using System.CommandLine;

const int Threads = 4, Most = 3_000;
Console.WriteLine($"System.CommandLine {typeof(Command).Assembly.GetName().Version}, .NET {Environment.Version}, {Environment.ProcessorCount} processors");
var byOption = Faults(result => result.GetValue((Option<string>)result.CommandResult.Command.Options[^1]));
var inTurn = Faults(
    result => result.GetValue<string>("--token"),
    first: result => result.GetValue<string>("--token")
);
var byName = Faults(result => result.GetValue<string>("--token"));
Console.WriteLine($"by the option: {byOption}; by name, after one thread has asked: {inTurn}; by name, all at once: {byName}");
return byOption == "no fault" && inTurn == "no fault" && byName != "no fault" ? 0 : 1;

static string Faults(Func<ParseResult, string?> ask, Action<ParseResult>? first = null)
{
    for (var run = 1; run <= Most; run++)
    {
        var token = new Option<string>("--token");
        var root = new RootCommand { new Command("put") { token } };
        for (var i = 0; i < 50; i++)
        {
            root.Add(new Command($"command-{i}") { new Option<string>($"--option-{i}") });
        }

        var result = root.Parse(["put", "--token", "value"]);
        first?.Invoke(result);
        using var barrier = new Barrier(Threads);
        string? fault = null;
        var threads = Enumerable
            .Range(0, Threads)
            .Select(_ => new Thread(() =>
            {
                barrier.SignalAndWait();
                try
                {
                    if (ask(result) != "value")
                    {
                        fault = "another value";
                    }
                }
                catch (Exception e)
                {
                    fault = $"{e.GetType().Name}: {e.Message}";
                }
            }))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (fault is not null)
        {
            return $"'{fault}' in run {run}";
        }
    }

    return "no fault";
}
CS
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
if dotnet run --project "$work" -c Release -p:UseSharedCompilation=false; then
  echo "as seen: reading a result by name is not for two threads at a time"
else
  echo "this has changed" && exit 1
fi

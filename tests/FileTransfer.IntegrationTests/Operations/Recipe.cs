using System.Diagnostics;
using System.Runtime.CompilerServices;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>The <c>sh</c> blocks under a heading of <c>docs/operations.md</c>, run as they stand there.</summary>
internal sealed class Recipe
{
    private const string Begin = "```sh\n";

    private readonly IReadOnlyList<string> _blocks;

    private Recipe(IReadOnlyList<string> blocks) => _blocks = blocks;

    public static Recipe Named(string heading)
    {
        var sections = File.ReadAllText(Document()).Split("\n#");
        var section = sections.Single(text => text.TrimStart('#', ' ').StartsWith(heading + "\n", StringComparison.Ordinal));
        return new Recipe([
            .. section.Split(Begin).Skip(1).Select(text => text[..text.IndexOf("```", StringComparison.Ordinal)]),
        ]);
    }

    /// <summary>Runs a block, and expects that it goes well.</summary>
    /// <param name="block">The first has 0.</param>
    /// <param name="programs">Where PostgreSQL's programs are.</param>
    /// <param name="asUser">What to put before a command to run it as another user; null = as this process.</param>
    /// <param name="variables">What the operator sets.</param>
    /// <returns>Its standard output.</returns>
    public async Task<string> RunAsync(
        int block,
        string programs,
        IReadOnlyList<string>? asUser,
        params (string Name, string Value)[] variables
    )
    {
        string[] command = [.. asUser ?? [], "bash", "-euo", "pipefail", "-c", _blocks[block]];
        using var bin = new TempFolder();
        var program = Path.Combine(bin.Path, "filetransfer");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet '{TestedProgram.Path}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
            Environment = { ["PATH"] = $"{bin.Path}:{programs}:{Environment.GetEnvironmentVariable("PATH")}" },
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var texts = Task.WhenAll(output, errors);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var end = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        await process.WaitForExitAsync();
        await texts.WaitAsync(TimeSpan.FromSeconds(10)); // Something that the block left running may keep them open.
        process.ExitCode.ShouldBe(0, $"{_blocks[block]}\n{await output}\n{await errors}");
        return await output;
    }

    internal static string Document([CallerFilePath] string here = "") =>
        Path.Combine(here, "..", "..", "..", "..", "docs", "operations.md");
}

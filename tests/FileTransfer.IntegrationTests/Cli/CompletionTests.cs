using System.Diagnostics;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Cli;

/// <summary>The scripts of <c>filetransfer completion</c>, in the shells they are for.</summary>
public sealed class CompletionTests
{
    private const string Bash = """
        eval "$(filetransfer completion bash)"
        complete -p filetransfer >/dev/null || exit 1
        COMP_WORDS=(TYPED) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}
        _filetransfer
        printf '%s\n' "${COMPREPLY[@]}"
        """;

    private const string Zsh = """
        autoload -Uz compinit && compinit -D -u
        eval "$(filetransfer completion zsh)"
        [[ $_comps[filetransfer] == _filetransfer ]] || exit 1
        compadd() { print -l -- ${(M)${(P)2}:#${words[CURRENT]}*} }
        _files() { print files }
        words=(TYPED) CURRENT=$#words
        _filetransfer
        """;

    private const string Fish = """
        filetransfer completion fish | source
        complete -C 'TYPED'
        """;

    [Theory]
    [InlineData("bash", Bash)]
    [InlineData("zsh", Zsh)]
    [InlineData("fish", Fish)]
    public async Task A_shell_completes_commands_and_options(string shell, string script)
    {
        var isHere = Environment
            .GetEnvironmentVariable("PATH")!
            .Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, shell)));
        Assert.SkipUnless(isHere, $"{shell} is not on this machine: apt-get install {shell} brings it.");
        using var folder = new TempFolder();
        var program = folder.At("filetransfer");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet '{TestedProgram.Path}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        (await CompleteAsync("filetransfer heal")).ShouldBe(["healthcheck"]);
        (await CompleteAsync("filetransfer healthcheck --rea")).ShouldBe(["--ready"]);
        (await CompleteAsync("filetransfer trust ad")).ShouldBe(["add"]);

        async Task<string[]> CompleteAsync(string words)
        {
            var start = new ProcessStartInfo(shell, ["-c", script.Replace("TYPED", words, StringComparison.Ordinal)])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder.Path,
                Environment =
                {
                    ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
                    ["HOME"] = folder.Path,
                },
            };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            process.ExitCode.ShouldBe(0, await error);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
    }
}

using System.ComponentModel;
using System.Diagnostics;

namespace FileTransfer.Postgres;

/// <summary>Runs the programs of the private cluster, without the settings that this process's environment may have for PostgreSQL.</summary>
internal static class ChildProcess
{
    public sealed record Answer(int ExitCode, string Output)
    {
        public bool Succeeded => ExitCode == 0;
    }

    /// <summary>Runs a short command to its end and returns all it printed. A program that is not there is exit code 127, as in a shell.</summary>
    public static async Task<Answer> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            process = Start(command);
        }
        catch (Win32Exception e)
        {
            return new Answer(127, $"{command[0]}: {e.Message}");
        }

        using (process)
        {
            process.StandardInput.Close();
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var errors = process.StandardError.ReadToEndAsync(cancellationToken);
                await process.WaitForExitAsync(cancellationToken);
                return new Answer(process.ExitCode, (await output + await errors).Trim());
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    public static Process Start(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C";
        return Process.Start(start)!;
    }
}

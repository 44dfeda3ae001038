using System.CommandLine;
using FileTransfer.Cli.Doctor;
using FileTransfer.Cli.Output;
using Spectre.Console;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer doctor</c></summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var peers = CliOption.Texts(
            "--peer",
            "NODE",
            "Also ask this node of the cluster, by its name, or 'all'; may be given several times."
        );
        var noProbe = CliOption.Flag("--no-probe", "Put no file: ask only, and change nothing.");
        return new CliCommand("doctor", "Checks this machine, a node and its cluster, and says what to do about what is wrong")
        {
            Notes =
            [
                "A line a check: OK, WARN, FAIL, ?? (it could not be made) or -- (it does not apply, and why), the name, what was seen, what to do.",
                "Exits with 0 when all is well, 1 with a WARN, 2 with a FAIL, 3 with a ??, as programs for monitoring do; the worst counts.",
                "Settings are read as 'filetransfer serve' reads them, also such as --FileTransfer:DataDirectory=DIR: run it where the node runs.",
                "A probe of 4 MiB is put, followed to the other nodes, read and removed for good; it is in a bucket of its own.",
            ],
            Examples =
            [
                "filetransfer doctor",
                "filetransfer doctor --peer all --json --url http://node-a:7070",
                "filetransfer doctor --no-probe --peer node-b",
            ],
            TreatUnmatchedTokensAsErrors = false,
        }
            .Taking(peers, noProbe)
            .AsksOnce(async run =>
            {
                var examination = new Examination(run.Nodes, run.Time, found => Show(run.Console, found), run.CancellationToken);
                return CodeOf(
                    await examination.RunAsync([.. run.Parse.UnmatchedTokens], run.Get(peers) ?? [], !run.Get(noProbe))
                );
            });
    }

    /// <summary>The numbers that programs for monitoring know; some have another meaning elsewhere.</summary>
    private static ExitCode CodeOf(FindingLevel worst) =>
        (ExitCode)(
            worst switch
            {
                FindingLevel.Critical => 2,
                FindingLevel.Warning => 1,
                FindingLevel.Unknown => 3,
                _ => 0,
            }
        );

    private static void Show(CliConsole console, Finding found)
    {
        if (!console.OutputIsTerminal)
        {
            console.Result(found.Line, found.ToLine());
            return;
        }

        var colour = found.Level switch
        {
            FindingLevel.Ok => "green",
            FindingLevel.Warning => "yellow",
            FindingLevel.Critical => "red",
            _ => "grey",
        };
        var text = Markup.Escape(PrintedText.Lines(found.Text));
        console.Show(_ => new Markup($"[{colour}]{found.Word, -5}[/] {text}{Environment.NewLine}"));
    }
}

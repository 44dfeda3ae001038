using System.CommandLine;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer changes</c></summary>
internal static class ChangesCommand
{
    private static readonly TimeSpan _longestWait = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var after = CliOption.Text(
            "--after",
            "POSITION",
            "What follows this position; 'now' for none but it; from the oldest that is kept when left out."
        );
        var wait = Duration.Option("--wait", "Wait where nothing has changed, 60s at most (default 0s).");
        return new CliCommand("changes", "Shows what was stored in the cluster and removed from it behind a position that lasts")
        {
            Notes =
            [
                "Each line: time, stored or removed, key, size, bucket, location; separated by tabs. The last one: position, and where the next page begins.",
                "Changes of one file come in their order; a page has up to 100 of each sixteenth of the files.",
            ],
            Examples =
            [
                "filetransfer changes",
                "filetransfer changes --after now",
                "filetransfer changes --after 0b1f… --wait 30s --json",
            ],
        }
            .Taking(after, wait)
            .Refusing(result => result.GetValue(wait) > _longestWait ? "--wait is 60s at most." : null)
            .AsksNodes(async run =>
            {
                string?[] query =
                [
                    run.Get(after) is { } position ? $"after={Uri.EscapeDataString(position)}" : null,
                    run.Given(wait) is { } time ? $"wait={(int)time.TotalSeconds}" : null,
                ];
                var path = $"{Routes.Changes}?{string.Join('&', query.OfType<string>())}".TrimEnd('?');
                var page = await run.AskAsync(node =>
                    node.AskAsync<ChangesResource>(HttpMethod.Get, path, within: 2 * _longestWait)
                );
                return run.Show([.. page.Changes.Select(LineOf), $"position\t{page.Position}"], page);
            });
    }

    private static string LineOf(ChangeResource change) =>
        string.Join(
            '\t',
            change.At.ToString("u", CultureInfo.InvariantCulture),
            change.Kind,
            change.Key,
            change.Size,
            change.Bucket,
            PrintedText.Line(change.Location ?? "-")
        );
}

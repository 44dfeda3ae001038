using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer scrub [KEY… | --bucket HEX]</c></summary>
internal static class ScrubCommand
{
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long what is damaged is waited for once all is proven: it comes from another node, or from nowhere.</summary>
    private static readonly TimeSpan _repairWithin = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var keys = IdentityOptions.Keys(ArgumentArity.ZeroOrMore);
        var bucket = IdentityOptions.HexOption("--bucket", "Verify only the files of this bucket.");
        var wait = CliOption.Flag("--wait", "Wait until everything is verified, and what was damaged is back from another node.");
        var cancel = CliOption.Flag("--cancel", "End the pass under way.");
        var show = CliOption.Flag("--show", "Show how far the scrub has got; start nothing.");
        return new CliCommand("scrub", "Makes a node verify every content it has and replace damaged ones from other nodes")
        {
            Notes =
            [
                "A node does this by itself once per FileTransfer:Scrub:Period (30 days); this starts a pass now, at full speed.",
                "With KEYs or --bucket it verifies only these, beside the pass that may be under way.",
                "Exits with 65 when a damaged content is not back because no other node has it. 'filetransfer explain KEY' says more.",
            ],
            Examples =
            [
                "filetransfer scrub --url http://node-b:7070",
                "filetransfer scrub --wait && echo all right",
                "filetransfer scrub 0x3f… --wait",
                "filetransfer scrub --bucket 0x22…",
                "filetransfer scrub --show",
            ],
            Ends = [ExitCode.NotProven, ExitCode.NotFound],
        }
            .Taking(keys, bucket, wait, show, cancel)
            .Refusing(Fault)
            .AsksOneNode(async run =>
            {
                if (run.Get(show) || run.Get(cancel))
                {
                    var method = run.Get(cancel) ? HttpMethod.Delete : HttpMethod.Get;
                    var now = await run.AskAsync(node => node.AskAsync<ScrubResource>(method, Routes.Scrub));
                    return Show(run, now, judges: true);
                }

                var named = run.Get(keys) ?? [];
                ScrubRequest? what =
                    run.Given(bucket) is { } some ? new ScrubRequest(some.ToString(), Keys: null)
                    : named.Length > 0 ? new ScrubRequest(null, [.. named.Select(key => key.ToString())])
                    : null;
                var scrub = await run.AskAsync(node =>
                    node.AskAsync<ScrubResource>(HttpMethod.Post, Routes.Scrub, what is null ? null : NodeClient.Json(what))
                );
                if (run.Get(wait))
                {
                    scrub = await run.Console.WithProgressAsync(progress => WaitAsync(run, scrub, what is not null, progress));
                }

                return Show(run, scrub, judges: run.Get(wait));
            });

        string? Fault(CommandResult result)
        {
            var named = (result.GetResult(keys)?.Tokens.Count > 0 ? 1 : 0) + (result.GetResult(bucket) is null ? 0 : 1);
            return named > 1 || (named > 0 && (result.GetValue(show) || result.GetValue(cancel)))
                ? "Give KEYs, or --bucket, or neither; --show and --cancel go with neither."
                : null;
        }
    }

    private static async Task<ScrubResource> WaitAsync(
        Invocation run,
        ScrubResource scrub,
        bool isNamed,
        TransferProgress progress
    )
    {
        var startedAt = scrub.Pass?.StartedAt ?? scrub.Last?.StartedAt ?? DateTimeOffset.MinValue;
        long? provenAt = null;
        TransferBar? bar = null;
        while (true)
        {
            var isProven = isNamed
                ? scrub.Named is not { EndedAt: null }
                : scrub.Pass is null || scrub.Pass.StartedAt > startedAt || scrub.Last?.StartedAt >= startedAt;
            if (isProven)
            {
                provenAt ??= run.Time.GetTimestamp();
                if (scrub.Damage.Count == 0 || run.Time.GetElapsedTime(provenAt.Value) > _repairWithin)
                {
                    bar?.Dispose();
                    return scrub;
                }
            }
            else if (!isNamed && scrub.Pass!.TotalBytes > 0)
            {
                bar ??= progress.Start("verifying", scrub.Pass.TotalBytes);
                bar.Report(scrub.Pass.Bytes);
            }

            await Task.Delay(_pollInterval, run.Time, run.CancellationToken);
            scrub = await run.AskAsync(node => node.GetAsync<ScrubResource>(Routes.Scrub));
        }
    }

    private static ExitCode Show(Invocation run, ScrubResource scrub, bool judges)
    {
        run.Show(LinesOf(scrub), scrub);
        return !judges || scrub.Damage.Count == 0 ? ExitCode.Ok : ExitCode.NotProven;
    }

    private static IEnumerable<string> LinesOf(ScrubResource scrub)
    {
        if (scrub.Named is { } named)
        {
            yield return $"{(named.EndedAt is null ? "Verifying" : "Verified")} as requested at {named.StartedAt:u}: {named.Files} files, "
                + $"{InMebibytes(named.Bytes)}; {named.Damaged} damaged, {named.Mended} with wrong chunk hashes.";
        }

        if (scrub.Pass is { } pass)
        {
            yield return $"Verifying since {pass.StartedAt:u}: {pass.Contents} contents, {InMebibytes(pass.Bytes)} of "
                + $"{InMebibytes(pass.TotalBytes)}; {pass.Damaged} damaged.";
        }

        if (scrub.Last is { } last)
        {
            yield return $"Everything was verified at {last.EndedAt:u}: {last.Contents} contents, {InMebibytes(last.Bytes)}; {last.Damaged} damaged, "
                + $"{last.Mended} with wrong chunk hashes.";
        }

        if (scrub is { Pass: null, NextAt: { } next })
        {
            yield return $"The next pass begins at {next:u}.";
        }

        foreach (var damage in scrub.Damage)
        {
            yield return $"Damaged and not back: {damage.Fingerprint}, {damage.Reason} (quarantine/{damage.Kept}).";
        }
    }

    private static string InMebibytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024.0):0.0} MiB");
}

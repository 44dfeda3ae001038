using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer policy get|set|delete BUCKET</c></summary>
internal static class PolicyCommand
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    public static Command Create(CliStreams streams) =>
        new CliCommand("policy", "Shows and sets which files of a bucket a node wants")
        {
            Notes =
            [
                "A policy belongs to one node and one bucket. Without one the node wants every file of the bucket.",
                "FILTER is prefix:utf8:TEXT, prefix:hex:DIGITS, exact:utf8:TEXT or exact:hex:DIGITS, and is compared with locations.",
            ],
            Examples =
            [
                "filetransfer policy get 0x22…",
                "filetransfer policy set 0x22… nothing-except prefix:utf8:photos/ exact:utf8:index.json",
                "filetransfer policy set 0x22… everything-except prefix:utf8:tmp/ --prune",
                "filetransfer policy delete 0x22…",
            ],
        }.Taking(CreateGet(streams), CreateSet(streams), CreateDelete(streams));

    private static CliCommand CreateGet(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("get", "Shows the policy of a bucket at a node")
        {
            Examples = ["filetransfer policy get 0x22… --url http://node-b:7070"],
        }
            .Taking(bucket)
            .AsksOneNode(
                streams,
                async run =>
                {
                    var policy = await run.AskAsync((node, token) => node.GetPolicyAsync(run.Get(bucket), token));
                    var text = string.Join(Environment.NewLine, [policy.Kind, .. policy.Filters]);
                    run.Console.Result(text, policy, () => SparseJson.Default.PolicyResource);
                    return ExitCode.Ok;
                }
            );
    }

    private static CliCommand CreateSet(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        var kind = new Argument<string>("KIND")
        {
            Description = "nothing-except: only what a filter matches is wanted; everything-except: all but that.",
        };
        kind.AcceptOnlyFromAmong([.. Policy.KindNames]);
        var filters = new Argument<string[]>("FILTER")
        {
            Description = "What locations are compared with, like prefix:utf8:photos/.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var prune = new Option<bool>("--prune")
        {
            Description = "Also delete stored contents that are no longer wanted, but never the last copy in the cluster.",
        };
        return new CliCommand("set", "Sets the policy of a bucket at a node")
        {
            Notes =
            [
                "The node downloads what it wants now, and withdraws downloads that it no longer wants, even those under way.",
                "What is stored stays unless --prune is given. A file that was registered at the node by its key, or that somebody",
                "has asked the node to fetch, is not withdrawn.",
            ],
            Examples =
            [
                "filetransfer policy set 0x22… nothing-except prefix:utf8:photos/ --url http://node-b:7070",
                "filetransfer policy set 0x22… everything-except prefix:hex:00ff --prune",
            ],
        }
            .Taking(bucket, kind, filters, prune)
            .AsksOneNode(
                streams,
                async run =>
                    Policy.TryParse(run.Get(kind), run.Get(filters) ?? [], out var policy, out var fault)
                        ? await ShowAsync(
                            run,
                            run.Get(bucket),
                            await run.AskAsync(
                                (node, token) => node.SetPolicyAsync(run.Get(bucket), policy, run.Get(prune), token)
                            )
                        )
                        : throw new CliException(ExitCode.Usage, fault)
            );
    }

    private static CliCommand CreateDelete(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("delete", "Deletes the policy: the node wants every file of the bucket again")
        {
            Examples = ["filetransfer policy delete 0x22… --url http://node-b:7070"],
        }
            .Taking(bucket)
            .AsksOneNode(
                streams,
                async run =>
                    await ShowAsync(
                        run,
                        run.Get(bucket),
                        await run.AskAsync((node, token) => node.DeletePolicyAsync(run.Get(bucket), token))
                    )
            );
    }

    /// <summary>Waits until the policy is applied, which goes on if nobody waits, and says how far it is meanwhile.</summary>
    private static async Task<ExitCode> ShowAsync(Invocation run, ByteString bucket, PolicyResource change)
    {
        var written = change.ChangedAt;
        while (change.Pending && change.ChangedAt == written)
        {
            run.Console.Notice($"{change.Bucket}: {change.Reviewed} files reviewed; the node goes on without this program");
            await Task.Delay(_look, run.CancellationToken);
            change = await run.AskAsync((node, token) => node.GetPolicyAsync(bucket, token));
        }

        string[] lines =
        [
            $"{change.Bucket} {change.Kind}: {change.Wanted} wanted, {change.Withdrawn} withdrawn, {change.Pruned} pruned",
            .. change.Kept > 0 ? [$"{change.Kept} stay, for no other living node has them stored:"] : (string[])[],
            .. change.KeptKeys,
        ];
        run.Console.Result(string.Join(Environment.NewLine, lines), change, () => SparseJson.Default.PolicyResource);
        return ExitCode.Ok;
    }
}

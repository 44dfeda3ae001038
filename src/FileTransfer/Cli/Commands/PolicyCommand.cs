using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer policy get|set|delete BUCKET</c></summary>
internal static class PolicyCommand
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    public static Command Create() =>
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
        }.Taking(CreateGet(), CreateSet(), CreateDelete());

    private static CliCommand CreateGet()
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("get", "Shows the policy of a bucket at a node")
        {
            Examples = ["filetransfer policy get 0x22… --url http://node-b:7070"],
        }
            .Taking(bucket)
            .AsksOneNode(async run =>
            {
                var policy = await run.AskAsync(node => node.GetAsync<PolicyResource>(PathOf(run, bucket)));
                return run.Show([policy.Kind, .. policy.Filters], policy);
            });
    }

    private static CliCommand CreateSet()
    {
        var bucket = IdentityOptions.BucketArgument();
        var kind = new Argument<string>("KIND")
        {
            Description = "nothing-except: only what a filter matches is wanted; everything-except: all but that.",
        };
        kind.AcceptOnlyFromAmong([.. Policy.KindNames]);
        const string what = "What locations are compared with, like prefix:utf8:photos/.";
        var filters = CliOption.Several("FILTER", ArgumentArity.ZeroOrMore, what);
        var prune = CliOption.Flag(
            "--prune",
            "Also delete stored contents that are no longer wanted, but never the last copy in the cluster."
        );
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
            .AsksOneNode(async run =>
                Policy.TryParse(run.Get(kind), run.Get(filters) ?? [], out var policy, out var fault)
                    ? await ChangeAsync(run, PathOf(run, bucket), HttpMethod.Put, policy.ToDefinition(), run.Get(prune))
                    : throw new CliException(ExitCode.Usage, fault)
            );
    }

    private static CliCommand CreateDelete()
    {
        var bucket = IdentityOptions.BucketArgument();
        return new CliCommand("delete", "Deletes the policy: the node wants every file of the bucket again")
        {
            Examples = ["filetransfer policy delete 0x22… --url http://node-b:7070"],
        }
            .Taking(bucket)
            .AsksOneNode(run => ChangeAsync(run, PathOf(run, bucket), HttpMethod.Delete));
    }

    private static string PathOf(Invocation run, Argument<ByteString> bucket) => Routes.Of(Routes.Policy, run.Get(bucket));

    /// <summary>Changes the policy, waits until it is applied, which goes on if nobody waits, and says how far it is meanwhile.</summary>
    private static async Task<ExitCode> ChangeAsync(
        Invocation run,
        string path,
        HttpMethod method,
        PolicyDefinition? policy = null,
        bool prunes = false
    )
    {
        var change = await run.AskAsync(node =>
            node.AskAsync<PolicyResource>(
                method,
                prunes ? $"{path}?prune=true" : path,
                policy is null ? null : NodeClient.Json(policy)
            )
        );
        var written = change.ChangedAt;
        while (change.Pending && change.ChangedAt == written)
        {
            run.Console.Notice($"{change.Bucket}: {change.Reviewed} files reviewed; the node goes on without this program");
            await Task.Delay(_look, run.CancellationToken);
            change = await run.AskAsync(node => node.GetAsync<PolicyResource>(path));
        }

        string[] lines =
        [
            $"{change.Bucket} {change.Kind}: {change.Wanted} wanted, {change.Withdrawn} withdrawn, {change.Pruned} pruned",
            .. change.Kept > 0 ? [$"{change.Kept} stay, for no other living node has them stored:"] : (string[])[],
            .. change.KeptKeys,
        ];
        return run.Show(lines, change);
    }
}

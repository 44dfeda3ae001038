using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer policy get|set|delete BUCKET</c></summary>
public static class PolicyCommand
{
    private static readonly ExitCode[] _ends = [ExitCode.Refused, ExitCode.Unreachable];

    public static Command Create(CliStreams streams)
    {
        var command = new CliCommand("policy", "Shows and sets which files of a bucket a node wants")
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
            Ends = _ends,
        };
        command.Add(CreateGet(streams));
        command.Add(CreateSet(streams));
        command.Add(CreateDelete(streams));
        return command;
    }

    private static CliCommand CreateGet(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("get", "Shows the policy of a bucket at a node")
        {
            Examples = ["filetransfer policy get 0x22… --url http://node-b:7070"],
            Ends = _ends,
        };
        command.Add(bucket);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                var policy = await node.RunAsync(
                    (client, token) => client.GetPolicyAsync(parse.GetRequiredValue(bucket), token),
                    cancellationToken
                );
                var text = string.Join(Environment.NewLine, [policy.Kind, .. policy.Filters]);
                console.Result(text, policy, () => SparseJson.Default.PolicyResource);
                return ExitCode.Ok;
            }
        );
        return command;
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
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("set", "Sets the policy of a bucket at a node")
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
            Ends = _ends,
        };
        command.Add(bucket);
        command.Add(kind);
        command.Add(filters);
        command.Add(prune);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                var texts = parse.GetValue(filters) ?? [];
                if (!Policy.TryParse(parse.GetRequiredValue(kind), texts, out var policy, out var fault))
                {
                    throw new CliException(ExitCode.Usage, fault);
                }

                using var node = connection.ConnectToOne(parse, console);
                Show(
                    console,
                    await node.RunAsync(
                        (client, token) =>
                            client.SetPolicyAsync(parse.GetRequiredValue(bucket), policy, parse.GetValue(prune), token),
                        cancellationToken
                    )
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static CliCommand CreateDelete(CliStreams streams)
    {
        var bucket = IdentityOptions.BucketArgument();
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("delete", "Deletes the policy: the node wants every file of the bucket again")
        {
            Examples = ["filetransfer policy delete 0x22… --url http://node-b:7070"],
            Ends = _ends,
        };
        command.Add(bucket);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var node = connection.ConnectToOne(parse, console);
                Show(
                    console,
                    await node.RunAsync(
                        (client, token) => client.DeletePolicyAsync(parse.GetRequiredValue(bucket), token),
                        cancellationToken
                    )
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static void Show(CliConsole console, PolicyChangeResource change)
    {
        string[] kept =
            change.Kept > 0 ? [$"{change.Kept} stay, for no other living node has them stored:", .. change.KeptKeys] : [];
        console.Result(
            string.Join(
                Environment.NewLine,
                [
                    $"{change.Bucket} {change.Kind}: {change.Wanted} wanted, {change.Withdrawn} withdrawn, {change.Pruned} pruned",
                    .. kept,
                ]
            ),
            change,
            () => SparseJson.Default.PolicyChangeResource
        );
    }
}

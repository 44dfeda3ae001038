using System.CommandLine;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer followers list|add|remove</c></summary>
internal static class FollowersCommand
{
    private const string TokenVariable = "FILETRANSFER_FOLLOWER_TOKEN";

    public static Command Create() =>
        new CliCommand("followers", "Shows and sets the clusters that a cluster ships its files to")
        {
            Examples =
            [
                "filetransfer followers list",
                "filetransfer followers add archive http://archive-a:7070",
                "filetransfer followers remove archive",
            ],
        }.Taking(CreateList(), CreateAdd(), CreateRemove());

    private static CliCommand CreateList() =>
        new CliCommand("list", "Shows each follower: its state, what it has not acknowledged, what went wrong last")
        {
            Notes =
            [
                "Exits with 3 while a follower is not in step. In step: it has acknowledged all there is, and the digests say that it has just",
                "the files that are here. What is above 4 MiB may still be on its way to it.",
            ],
            Examples = ["filetransfer followers list", "filetransfer followers list --json"],
            Ends = [ExitCode.NotComplete],
        }.AsksNodes(async run =>
        {
            var all = await run.AskAsync(node => node.GetAsync<FollowersResource>(Routes.Followers));
            run.Show(all.Followers.Count == 0 ? ["this cluster ships to nobody"] : all.Followers.Select(LineOf), all);
            return all.Followers.All(follower => follower.State == "inStep") ? ExitCode.Ok : ExitCode.NotComplete;
        });

    private static CliCommand CreateAdd()
    {
        var name = NameArgument();
        var url = new Argument<Uri>("URL") { Description = "Where any node of it answers." };
        var token = CliOption.Text(
            "--follower-token",
            "TOKEN",
            $"A token that it knows, with scope node; prefer the environment ({TokenVariable})."
        );
        var buckets = CliOption.Texts("--only-bucket", "HEX", "Ship only files of this bucket; may be given several times.");
        var paused = CliOption.Flag("--paused", "Ship nothing until it is added again without this.");
        return new CliCommand("add", "Ships to a cluster from now on, or in another way than before")
        {
            Notes = ["The follower has to accept this cluster: FileTransfer:Sync:AcceptFrom at its nodes names its id."],
            Examples =
            [
                "filetransfer followers add archive http://archive-a:7070",
                "filetransfer followers add archive http://archive-a:7070 --only-bucket 0x22",
            ],
        }
            .Taking(name, url, token, buckets, paused)
            .AsksNodes(async run =>
            {
                var follower = new FollowerRegistration(
                    run.Get(url),
                    run.Get(token) ?? run.Streams.Setting(TokenVariable),
                    run.Get(buckets),
                    run.Get(paused)
                );
                var path = Routes.Of(Routes.Follower, run.Get(name));
                var added = await run.AskAsync(node =>
                    node.AskAsync<FollowerResource>(HttpMethod.Put, path, NodeClient.Json(follower))
                );
                return run.Show(LineOf(added), added);
            });
    }

    private static CliCommand CreateRemove()
    {
        var name = NameArgument();
        return new CliCommand("remove", "Ships nothing more to a cluster; what it has it keeps")
        {
            Examples = ["filetransfer followers remove archive"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name)
            .AsksNodes(async run =>
            {
                var path = Routes.Of(Routes.Follower, run.Get(name));
                var removed = await run.AskAsync(node => node.AskAsync<FollowerResource>(HttpMethod.Delete, path));
                return run.Show($"{removed.Name}\t{removed.Url}\tremoved", removed);
            });
    }

    private static Argument<string> NameArgument() => new("NAME") { Description = "What this cluster calls the follower." };

    private static string LineOf(FollowerResource follower) =>
        $"{follower.Name}\t{follower.Url}\t{follower.State}\t{follower.LagEntries} mutations behind\t{follower.LagSeconds:0} s"
        + (follower.LastError is { } fault ? $"\t{fault}" : "");
}

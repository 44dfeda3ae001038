namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer node handover|drain</c></summary>
internal static class NodeSteering
{
    public static CliCommand CreateHandover() =>
        new CliCommand("handover", "Makes the leader leave office to whichever other node takes it first")
        {
            Notes = ["For a second or so no file can be uploaded or removed; 'put' and 'remove' wait for the new leader."],
            Examples = ["filetransfer node handover --url http://node-a:7070"],
        }.AsksNodes(async run =>
        {
            var leader = await run.AskAsync(node => node.AskAsync<LeaderResource>(HttpMethod.Post, Routes.Handover));
            return run.Show($"{leader.Node} leads in epoch {leader.Epoch}, at {leader.Url}", leader);
        });

    public static CliCommand CreateDrain()
    {
        var yes = CliOption.Flag("--yes", "Do it; without this, the command only says which node would stop.", "-y");
        return new CliCommand("drain", "Stops a node as SIGTERM does: running requests end, then it exits")
        {
            Notes = ["What supervises its process may start it again."],
            Examples =
            [
                "filetransfer node drain --url http://node-b:7070",
                "filetransfer node drain --yes --url http://node-b:7070",
            ],
        }
            .Taking(yes)
            .AsksOneNode(async run =>
            {
                if (!run.Get(yes))
                {
                    var node = (await run.AskAsync(one => one.GetAsync<QueueResource>(Routes.Queue))).Node;
                    throw new CliException(ExitCode.Usage, $"Node '{node}' would stop. Nothing was done; add --yes to stop it.");
                }

                var drained = await run.AskAsync(node => node.AskAsync<DrainResource>(HttpMethod.Post, Routes.Drain));
                return run.Show(
                    $"{drained.Node} stops within {drained.WithinSeconds} s; {drained.Running} requests run",
                    drained
                );
            });
    }
}

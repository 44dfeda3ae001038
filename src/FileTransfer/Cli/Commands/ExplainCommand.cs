using System.CommandLine;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer explain KEY</c></summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var key = IdentityOptions.Key();
        return new CliCommand("explain", "Says why a node does not have a file: state, holder, sources tried, next attempt")
        {
            Notes =
            [
                "The answer is about the node that answers; others are named as sources. Exits with 3 when the node lacks the file.",
            ],
            Examples = ["filetransfer explain 0x3f… --url http://node-b:7070"],
            Ends = [ExitCode.NotComplete, ExitCode.NotFound],
        }
            .Taking(key)
            .AsksNodes(async run =>
            {
                var answer = await run.AskAsync(node => node.GetAsync<JsonElement>(Routes.Of(Routes.Explain, run.Get(key))));
                var says = answer.GetProperty("says").EnumerateArray().Select(sentence => sentence.GetString());
                run.Show(says!, answer);
                return answer.GetProperty("state").GetString() == "stored" ? ExitCode.Ok : ExitCode.NotComplete;
            });
    }
}

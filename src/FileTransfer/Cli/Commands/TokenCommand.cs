using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer token create|list|revoke</c></summary>
internal static class TokenCommand
{
    public static Command Create() =>
        new CliCommand("token", "Makes, lists and revokes tokens of a running cluster")
        {
            Notes = ["Beside these, each node accepts those of its own FileTransfer:Tokens."],
            Examples =
            [
                "filetransfer token create ci --scope write --not-after 2027-01-31",
                "filetransfer token list",
                "filetransfer token revoke ci",
            ],
        }.Taking(CreateCreate(), CreateList(), CreateRevoke());

    private static CliCommand CreateCreate()
    {
        var name = NameArgument();
        var scopes = CliOption.Texts(
            "--scope",
            "SCOPE",
            "read, write, node or admin; may be given several times (default read)."
        );
        var notAfter = CliOption.Text(
            "--not-after",
            "TIME",
            "From when on it is refused, such as 2027-01-31 (default: once it is revoked)."
        );
        var buckets = CliOption.Texts("--only-bucket", "HEX", "Only requests about this bucket; may be given several times.");
        var owners = CliOption.Texts(
            "--only-owner",
            "HEX",
            "Only requests about files of this owner; may be given several times."
        );
        CliOption.Check(notAfter, text => TryReadTime(text, out _), "a time such as 2027-01-31 or 2027-01-31T18:00Z");
        return new CliCommand("create", "Makes a token and prints it, this once")
        {
            Notes = ["Every node knows it within a moment. It is kept as its SHA-256 alone; whoever loses it makes another one."],
            Examples = ["filetransfer token create ci --scope write --not-after 2027-01-31"],
        }
            .Taking(name, scopes, notAfter, buckets, owners)
            .AsksNodes(async run =>
            {
                string[] given = run.Get(scopes) is { Length: > 0 } some ? some : [AccessScopes.Read];
                var end = run.Get(notAfter) is { } text && TryReadTime(text, out var time) ? time : (DateTimeOffset?)null;
                var request = new TokenRequest(run.Get(name), given, end, run.Get(buckets), run.Get(owners));
                var created = await run.AskAsync(node =>
                    node.AskAsync<TokenCreated>(HttpMethod.Post, Routes.Tokens, NodeClient.Json(request))
                );
                return run.Show(created.Token, created);
            });
    }

    private static CliCommand CreateList() =>
        new CliCommand("list", "Lists them: scopes, who made them, until when they are valid, when they were used last")
        {
            Examples = ["filetransfer token list"],
        }.AsksNodes(async run =>
        {
            var all = await run.AskAsync(node => node.GetAsync<TokensResource>(Routes.Tokens));
            return run.Show(all.Tokens.Select(LineOf), all);
        });

    private static CliCommand CreateRevoke()
    {
        var name = NameArgument();
        return new CliCommand("revoke", "Ends a token; its requests under way are cut off within 5 seconds")
        {
            Examples = ["filetransfer token revoke ci"],
            Ends = [ExitCode.NotFound],
        }
            .Taking(name)
            .AsksNodes(async run =>
            {
                var path = Routes.Of(Routes.Token, run.Get(name));
                await run.AskAsync(node => node.FindAsync<TokenResource>(HttpMethod.Delete, path));
                return run.Show($"{run.Get(name)} revoked", new KeyStateLine(run.Get(name), "revoked"));
            });
    }

    private static bool TryReadTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    private static Argument<string> NameArgument() => new("NAME") { Description = "The token's name." };

    private static string LineOf(TokenResource token) =>
        $"{token.Name}\t{string.Join(' ', token.Scopes)}{(token.Buckets.Count > 0 ? $" of {string.Join(' ', token.Buckets)}" : "")}{(token.Owners.Count > 0 ? $" by {string.Join(' ', token.Owners)}" : "")}\tmade {token.CreatedAt:u} by {token.CreatedBy}"
        + $"\t{(token.NotAfter is { } end ? $"until {end:u}" : "until revoked")}"
        + $"\t{(token.LastUsedAt is { } used ? $"used {used:u}" : "never used")}";
}

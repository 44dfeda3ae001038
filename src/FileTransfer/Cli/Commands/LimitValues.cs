using System.CommandLine;
using System.CommandLine.Parsing;
using FileTransfer.Bandwidth;

namespace FileTransfer.Cli.Commands;

/// <summary>The options of <c>limits set</c>.</summary>
internal sealed class LimitValues
{
    private readonly Option<string> _download = CliOption.Text(
        "--download",
        "RATE",
        "Content downloaded by the node per second."
    );
    private readonly Option<string> _upload = CliOption.Text("--upload", "RATE", "Content sent by the node per second.");
    private readonly Option<string[]> _perSource = CliOption.Texts(
        "--per-source",
        "NAME=RATE",
        "Content downloaded from one source per second; repeat it for several sources."
    );
    private readonly Option<int?> _requests = Count("--requests", "Requests in flight.");
    private readonly Option<int?> _requestsPerSource = Count("--requests-per-source", "Requests in flight at one source.");
    private readonly Option<int?> _connections = Count("--connections", "Sources with requests in flight.");

    public Option[] All => [_download, _upload, _perSource, _requests, _requestsPerSource, _connections];

    public LimitSet Read(ParseResult parse)
    {
        var entries = (parse.GetValue(_perSource) ?? []).Select(text => text.Split('=', 2)).ToList();
        var limits = new LimitSet(
            parse.GetValue(_requests),
            parse.GetValue(_requestsPerSource),
            parse.GetValue(_connections),
            parse.GetValue(_download),
            parse.GetValue(_upload),
            entries.Count == 0 ? null : entries.ToDictionary(entry => entry[0], entry => entry[1])
        );
        return limits.Faults().FirstOrDefault() is { Member: not null } fault
            ? throw new CliException(ExitCode.Usage, $"{fault.Text}.")
            : limits;
    }

    /// <summary>What is to be set at a node: what is set there, with what is given over it.</summary>
    public static LimitSet Over(LimitsResource before, LimitSet given)
    {
        var set = given.Over(before.Set ?? new LimitSet());
        if (given.PerSource is not null)
        {
            var sources = new Dictionary<string, string>(before.InForce.PerSource ?? new Dictionary<string, string>());
            foreach (var (name, rate) in given.PerSource)
            {
                sources[name] = rate;
            }

            set = set with { PerSource = sources };
        }

        return set;
    }

    /// <summary>What is wrong with what was given; null where nothing is.</summary>
    public string? Fault(CommandResult result)
    {
        if (All.All(option => result.GetResult(option) is null))
        {
            return "Nothing to set is given. Give --download, --upload, --per-source or one of the numbers.";
        }

        var tokens = result.GetResult(_perSource)?.Tokens.Select(token => token.Value).ToList() ?? [];
        if (tokens.Find(text => text.IndexOf('=', StringComparison.Ordinal) < 1) is { } nameless)
        {
            return $"'{nameless}' is not the limit of a source. Write NAME=RATE, like mirror=5MiB/s.";
        }

        var twice = tokens.Select(text => text.Split('=', 2)[0]).GroupBy(name => name).FirstOrDefault(same => same.Count() > 1);
        return twice is null ? null : $"'{twice.Key}' is given twice. Give each source once.";
    }

    private static Option<int?> Count(string name, string description) => new(name) { Description = description, HelpName = "N" };
}

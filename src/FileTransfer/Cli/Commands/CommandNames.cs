namespace FileTransfer.Cli.Commands;

/// <summary>What a person may have meant by a name that is no command.</summary>
public static class CommandNames
{
    private static readonly Dictionary<string, string> _elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ls"] = "list",
        ["dir"] = "list",
        ["rm"] = "remove",
        ["del"] = "remove",
        ["delete"] = "remove",
        ["upload"] = "put",
        ["add"] = "put",
        ["cp"] = "put",
        ["download"] = "get",
        ["cat"] = "get",
        ["pull"] = "fetch",
        ["why"] = "explain",
        ["nodes"] = "status",
        ["hash"] = "fingerprint",
        ["health"] = "healthcheck",
        ["start"] = "serve",
        ["run"] = "serve",
        ["server"] = "serve",
        ["tail"] = "events",
        ["watch"] = "events",
    };

    /// <summary>One line for the error stream.</summary>
    public static string Unknown(string name, IEnumerable<string> known)
    {
        var all = known.ToList();
        var meant =
            _elsewhere.TryGetValue(name, out var other) && all.Contains(other) ? other
            : name.Length > 2 ? all.Find(command => command.StartsWith(name, StringComparison.Ordinal))
            : null;
        return $"error: '{name}' is not a command{(meant is null ? "." : $"; did you mean '{meant}'?")} "
            + "Run 'filetransfer --help' to see them all.";
    }
}

namespace FileTransfer.Hosting.Configuration;

/// <summary>Settings on the command line: <c>--key=value</c> or <c>--key value</c>. Anything else is refused by name.</summary>
internal static class CommandLineSettings
{
    /// <summary>Written without a value: it is said once, for one start.</summary>
    public const string AdoptCatalog = "--adopt-catalog";

    public static IReadOnlyDictionary<string, string?> Parse(IReadOnlyList<string> args)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (!arg.StartsWith("--", StringComparison.Ordinal))
            {
                throw new FatalStartException(
                    $"'{arg}' is not an option; options are written --key=value, such as --urls=http://127.0.0.1:7070."
                );
            }

            if (arg == AdoptCatalog)
            {
                settings["FileTransfer:AdoptCatalog"] = "true";
                continue;
            }

            var equals = arg.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? arg[2..] : arg[2..equals];
            if (!SettingNames.IsKnown(key))
            {
                throw new FatalStartException($"Unknown option '--{key}'{SettingNames.Suggestion(key, "--")}");
            }

            if (equals >= 0)
            {
                settings[key] = arg[(equals + 1)..];
            }
            else if (i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                settings[key] = args[++i];
            }
            else
            {
                throw new FatalStartException($"Option '--{key}' has no value; write --{key}=VALUE.");
            }
        }

        return settings;
    }
}

namespace FileTransfer.Hosting.Configuration;

/// <summary>Which configuration keys exist, so that a misspelt one is refused instead of silently doing nothing.</summary>
internal static class SettingNames
{
    /// <summary>Sections that other libraries define; what is below them is theirs to check.</summary>
    private static readonly string[] Foreign = ["Serilog", "Kestrel"];

    private static readonly string[] Own = ["Urls", "ConnectionStrings:Postgres"];

    private const string Numbered = "0";
    private const string Named = "NAME";

    /// <summary>Every key of this program, with 0 for the number of an entry and NAME for its name.</summary>
    public static IReadOnlyList<string> All { get; } =
    [.. Own.Concat(OptionsSection.All.SelectMany(section => Paths(section.Type, section.Path))).SelectMany(SecretFiles.WithFile)];

    private static readonly string[][] _parts = [.. All.Select(known => known.Split(':'))];

    /// <summary>
    /// Keys under <c>FileTransfer</c> that no options type knows, each with what may have been meant; and connection strings of other names
    /// where the cluster's own is missing, for the node would begin a cluster of its own in a private database.
    /// </summary>
    public static IEnumerable<string> FaultsOf(IConfiguration all) =>
        Unknown(all, "FileTransfer")
            .Select(key => $"{key} is not a setting{Suggestion(key, "")}.")
            .Concat(
                string.IsNullOrEmpty(all.GetConnectionString("Postgres"))
                    ? Unknown(all, "ConnectionStrings")
                        .Select(key => $"{key} is not read; the cluster's database is ConnectionStrings:Postgres.")
                    : []
            );

    private static IEnumerable<string> Unknown(IConfiguration all, string section) =>
        all.GetSection(section)
            .AsEnumerable()
            .Where(setting => !string.IsNullOrEmpty(setting.Value) && !IsKnown(setting.Key))
            .Select(setting => setting.Key);

    public static bool IsKnown(string key) =>
        Foreign.Any(section => key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase))
        || (key.Split(':') is var parts && Array.Exists(_parts, known => IsCalled(parts, known)));

    /// <summary>"; did you mean …?", or where to look when nothing is near.</summary>
    public static string Suggestion(string key, string prefix)
    {
        var nearest = All.Select(known => (known, distance: Distance(key.ToUpperInvariant(), known.ToUpperInvariant())))
            .MinBy(candidate => candidate.distance);
        var lastPart = key[(key.LastIndexOf(':') + 1)..];
        return nearest.distance <= Math.Max(2, lastPart.Length / 2)
            ? $"; did you mean {prefix}{nearest.known}?"
            : "; see the configuration table of the README";
    }

    /// <summary>Whether a key is this one. A whole list or map is, too: what is wrong with one is for the rules to say.</summary>
    private static bool IsCalled(string[] key, string[] known) =>
        key.Zip(known)
            .All(part =>
                part.Second switch
                {
                    Numbered => int.TryParse(part.First, out _),
                    Named => true,
                    var name => name.Equals(part.First, StringComparison.OrdinalIgnoreCase),
                }
            ) && (key.Length == known.Length || (key.Length < known.Length && known[key.Length] is Numbered or Named));

    private static IEnumerable<string> Paths(Type type, string path)
    {
        if (SettingRules.IsLeaf(type))
        {
            return [path];
        }

        return SettingRules.ElementOf(type) is { } element
            ? Paths(element, path + ":" + (SettingRules.IsMap(type) ? Named : Numbered))
            : SettingRules.PropertiesOf(type).SelectMany(property => Paths(property.PropertyType, $"{path}:{property.Name}"));
    }

    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}

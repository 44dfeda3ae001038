using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace FileTransfer.Postgres;

/// <summary>One numbered step of the schema: <c>0001_name.sql</c>, or <c>0001_name.expand.sql</c> where an older program works with what it makes.</summary>
public sealed partial record Migration(int Version, string Name, string Sql)
{
    private const string Expanding = ".expand";

    /// <summary>Whether a program that does not know a step goes on with it: the step only adds what that program neither reads nor writes.</summary>
    public static bool Expands(string name) => name.EndsWith(Expanding, StringComparison.Ordinal);

    /// <summary>SHA-256 of the text, in hex. Line ends do not count: a checkout may change them.</summary>
    public string Checksum =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.Replace("\r\n", "\n", StringComparison.Ordinal))));

    public static IReadOnlyList<Migration> Embedded { get; } = ReadEmbedded(typeof(Migration).Assembly);

    private static Migration[] ReadEmbedded(Assembly assembly) =>
        [
            .. assembly
                .GetManifestResourceNames()
                .Select(resource => FileName().Match(resource))
                .Where(match => match.Success)
                .Select(match => new Migration(
                    int.Parse(match.Groups["version"].ValueSpan, CultureInfo.InvariantCulture),
                    match.Groups["name"].Value,
                    Text(assembly, match.Value)
                ))
                .OrderBy(migration => migration.Version),
        ];

    private static string Text(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(
        "^(?<version>[0-9]{4})_(?<name>[a-z0-9_]+(?:\\.expand)?)\\.sql$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex FileName();
}

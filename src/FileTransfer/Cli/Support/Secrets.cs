using System.Text.RegularExpressions;
using FileTransfer.Hosting.Configuration;

namespace FileTransfer.Cli.Support;

/// <summary>Takes secrets out of what is passed on: those of the settings wherever their values stand, and what looks like one.</summary>
internal sealed partial class Secrets
{
    private const string Mask = "***";

    /// <summary>What is shorter stands in many words that are none.</summary>
    private const int Shortest = 4;

    private readonly string[] _known;

    public Secrets(IConfiguration settings, params ReadOnlySpan<string?> others)
    {
        _known =
        [
            .. settings
                .AsEnumerable()
                .Where(setting =>
                    setting.Value is { Length: > 0 } && EffectiveSettings.Masked(setting.Key, setting.Value) != setting.Value
                )
                .SelectMany(setting => PartsOf(setting.Key, setting.Value!))
                .Concat(others.ToArray().OfType<string>())
                .Where(secret => secret.Length >= Shortest)
                .Distinct()
                .OrderByDescending(secret => secret.Length),
        ];
    }

    public string Without(string text)
    {
        foreach (var secret in _known)
        {
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }

        return Lookalike().Replace(text, $"${{before}}{Mask}");
    }

    /// <summary>Of a value that is masked as a whole or in part: what of it is secret, as it is and as it is written in a URL.</summary>
    private static IEnumerable<string> PartsOf(string key, string value)
    {
        if (EffectiveSettings.IsConnection(key))
        {
            return EffectiveSettings.PasswordOf(value) is { } password ? [password] : [value];
        }

        return Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Host.Length > 0
            ? [url.UserInfo, .. url.UserInfo.Split(':').Skip(1).SelectMany(Both), url.Query]
            : [value, .. value.Split(' ')];

        static string[] Both(string part) => [part, Uri.UnescapeDataString(part)];
    }

    /// <summary>Who is named in a URL, a bearer token, and the password of a connection string.</summary>
    [GeneratedRegex(
        """(?<before>://)[^/\s"'@]+(?=@)|(?<before>\bBearer )[\w.~+/=-]+|(?<before>\bPassword=)[^;\s"']+""",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000
    )]
    private static partial Regex Lookalike();
}

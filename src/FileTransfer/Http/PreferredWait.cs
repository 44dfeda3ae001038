namespace FileTransfer.Http;

/// <summary>How long a reader prefers to wait for an answer (RFC 7240, section 4.3).</summary>
public static class PreferredWait
{
    /// <summary>As long as nobody else sets a limit, a minute is the longest: what is between a reader and this node gives up then.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>Null where the request says nothing of it, or nothing that can be read.</summary>
    public static TimeSpan? Of(HttpRequest request)
    {
        foreach (var preference in request.Headers.GetCommaSeparatedValues("Prefer"))
        {
            var (name, value) = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries) is [var left, var right]
                ? (left, right.Trim('"'))
                : (preference, "");
            if (
                name.Equals("wait", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            )
            {
                return seconds < Longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : Longest;
            }
        }

        return null;
    }

    /// <summary>Says that it was waited so long at most.</summary>
    public static void Applied(HttpResponse response, TimeSpan wait) =>
        response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={wait.TotalSeconds:0}");
}

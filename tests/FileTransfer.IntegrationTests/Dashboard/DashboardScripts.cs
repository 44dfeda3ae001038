using System.Text;
using System.Text.RegularExpressions;
using FileTransfer.Dashboard;

namespace FileTransfer.IntegrationTests.Dashboard;

/// <summary>The page's own code, as text.</summary>
internal static partial class DashboardScripts
{
    public static IEnumerable<(string Name, string Text)> All =>
        DashboardFile
            .All.Where(file => file.Path.EndsWith(".js", StringComparison.Ordinal))
            .Select(file => (file.Path, Encoding.UTF8.GetString(file.Content)));

    /// <summary>The actions that the page offers: the command that does the same, and the route that is asked.</summary>
    public static IReadOnlyList<(string Id, string Program, string Route)> Actions =>
        [
            .. All.Where(file => file.Name.EndsWith("actions.js", StringComparison.Ordinal))
                .SelectMany(file => Action().Matches(file.Text))
                .Select(match => (match.Groups["id"].Value, match.Groups["program"].Value, match.Groups["route"].Value)),
        ];

    [GeneratedRegex(
        @"id: '(?<id>[^']+)',\s+program: '(?<program>[^']+)',\s+route: '(?<route>[^']+)'",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex Action();
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FileTransfer.Tests.Architecture;

/// <summary>Folders are the nouns of the domain, and what they use points one way.</summary>
public sealed partial class ArrowTests
{
    /// <summary>Lowest first: a folder may use those before it. Postgres, Http and Rates know no domain word and may be used by all.</summary>
    private static readonly string[] _layers =
    [
        "Identity",
        "Chunks",
        "Catalog",
        "Cluster",
        "Feed",
        "Uploads",
        "Downloads",
        "Hosting",
        "Cli",
    ];

    private static readonly string[] _foundations = ["Postgres", "Http", "Rates"];

    [Fact]
    public void Folders_use_only_folders_below_them()
    {
        var wrong = Sources()
            .SelectMany(source => Uses(source.Text).Select(used => (source.Folder, source.File, Used: used)))
            .Where(use => use.Folder != use.Used && !MayUse(use.Folder, use.Used))
            .Select(use => $"{use.File} uses {use.Used}");
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        var wrong = Sources()
            .Where(source =>
                NamespaceLine().Match(source.Text) is { Success: true } match && match.Groups["name"].Value != source.Namespace
            )
            .Select(source => source.File);
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Every_folder_has_its_place_among_the_layers() =>
        Sources()
            .Select(source => source.Folder)
            .Where(folder => folder != "")
            .Distinct()
            .ShouldBeSubsetOf([.. _layers, .. _foundations]);

    /// <summary>A commit with a NOTIFY holds a lock of the whole server until its standby has answered.</summary>
    [Fact]
    public void Nothing_notifies_in_a_transaction_of_its_own_work()
    {
        var notifying = Sources()
            .Select(source => (source.File, source.Text))
            .Concat(Schema())
            .Where(source => Notify().IsMatch(source.Text))
            .Select(source => source.File);
        notifying.ShouldBe([Path.Combine("Postgres", "NotificationSender.cs")]);
    }

    private static bool MayUse(string folder, string used) =>
        folder == ""
        || _foundations.Contains(used)
        || (!_foundations.Contains(folder) && Array.IndexOf(_layers, used) < Array.IndexOf(_layers, folder));

    private static IEnumerable<(string Folder, string Namespace, string File, string Text)> Sources()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/FileTransfer"));
        foreach (var file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar);
            if (parts[0] is not ("bin" or "obj"))
            {
                var folders = parts[..^1];
                yield return (
                    folders.FirstOrDefault(""),
                    string.Join('.', folders.Prepend("FileTransfer")),
                    Path.Combine(parts),
                    File.ReadAllText(file)
                );
            }
        }
    }

    private static IEnumerable<(string File, string Text)> Schema()
    {
        var root = Path.GetFullPath(
            Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/FileTransfer/Postgres/Schema")
        );
        return Directory.EnumerateFiles(root, "*.sql").Select(file => (Path.GetFileName(file), File.ReadAllText(file)));
    }

    private static IEnumerable<string> Uses(string text) =>
        UsedFolder().Matches(text).Select(match => match.Groups["folder"].Value).Distinct();

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^using (?:static )?FileTransfer\.(?<folder>\w+)", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex UsedFolder();

    [GeneratedRegex(@"pg_notify\s*\(|(?:^|""|;)\s*NOTIFY\s", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Notify();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex NamespaceLine();
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FileTransfer.Contracts;

namespace FileTransfer.Tests.Architecture;

/// <summary>Folders are the nouns of the domain, and what they use points one way.</summary>
/// <remarks>A folder and the folders in it are one room: they may use each other. Policies, intents and loads are rooms of their own.</remarks>
public sealed partial class ArrowTests
{
    /// <summary>Lowest first: a room may use those before it. The foundations know no domain word and may be used by all.</summary>
    private static readonly string[] _layers =
    [
        "Identity",
        "Contracts",
        "Bandwidth",
        "Chunks",
        "Catalog",
        "Wants/Policies",
        "Serving",
        "Cluster",
        "Feed",
        "Uploads",
        "Downloads",
        "Exports",
        "Wants/Intents",
        "Wants/Loads",
        "Operations",
        "Dashboard",
        "Hosting",
        "Cli",
    ];

    private static readonly string[] _foundations = ["Concurrency", "Http", "Postgres"];

    /// <summary>Which room owns a table, first, and which others read or write it in statements of their own.</summary>
    private static readonly Dictionary<string, string[]> _tables = new()
    {
        ["audit"] = ["Operations"],
        ["bins"] = ["Feed", "Cluster", "Postgres"],
        ["bucket_copies"] = ["Catalog"],
        ["quotas"] = ["Catalog"],
        ["bucket_digests"] = ["Feed"],
        ["bucket_priorities"] = ["Catalog"],
        ["cluster"] = ["Cluster", "Feed", "Postgres"],
        ["digested_bins"] = ["Feed"],
        ["file_traces"] = ["Feed"],
        ["feed_epochs"] = ["Cluster"],
        ["feed_positions"] = ["Feed", "Uploads"],
        ["files"] = ["Catalog", "Exports", "Feed", "Uploads", "Wants/Intents", "Wants/Loads", "Wants/Policies"],
        ["follower_bins"] = ["Feed", "Uploads"],
        ["followers"] = ["Feed"],
        ["ingested"] = ["Uploads"],
        ["intents"] = ["Wants/Intents", "Catalog"],
        ["leader"] = ["Cluster", "Catalog", "Postgres"],
        ["limits"] = ["Bandwidth"],
        ["load_files"] = ["Wants/Loads", "Catalog"],
        ["load_sources"] = ["Wants/Loads"],
        ["loads"] = ["Wants/Loads", "Catalog"],
        ["mutations"] = ["Feed", "Postgres"],
        ["node_history"] = ["Operations"],
        ["nodes"] = ["Cluster", "Catalog", "Feed", "Operations", "Uploads", "Wants/Policies"],
        ["pauses"] = ["Downloads"],
        ["policies"] = ["Wants/Policies"],
        ["policy_wants"] = ["Wants/Policies", "Catalog"],
        ["replicas"] = ["Catalog", "Exports", "Uploads", "Wants/Intents", "Wants/Loads", "Wants/Policies"],
        ["schema_versions"] = ["Postgres"],
        ["upstream_bins"] = ["Feed"],
        ["upstream_files"] = ["Feed", "Catalog"],
        ["upstream_removals"] = ["Feed"],
        ["due_claims"] = ["Feed"],
        ["upstreams"] = ["Feed"],
        ["webhooks"] = ["Feed"],
        ["tokens"] = ["Hosting"],
        ["key_rotations"] = ["Cluster"],
        ["trust"] = ["Cluster"],
    };

    [Fact]
    public void Rooms_use_only_rooms_below_them()
    {
        var wrong = Sources()
            .SelectMany(source => Uses(source.Text).Select(used => (source.Room, source.File, Used: used)))
            .Where(use => use.Room != use.Used && !MayUse(use.Room, use.Used))
            .Select(use => $"{use.File} uses {use.Used}");
        wrong.ShouldBeEmpty();
    }

    /// <summary>No using directive shows who knows them.</summary>
    [Fact]
    public void Contracts_are_known_neither_to_what_they_are_made_of_nor_to_the_foundations()
    {
        var contracts = typeof(Routes).Assembly.GetTypes().Where(type => type.Namespace == typeof(Routes).Namespace);
        var names = contracts.Select(type => type.Name).ToHashSet();
        var wrong = Sources()
            .Where(source => source.Room == "Identity" || _foundations.Contains(source.Room))
            .SelectMany(source => Word().Matches(source.Text).Select(word => (source.File, word.Value)))
            .Where(use => names.Contains(use.Value));
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Folders_of_one_room_that_lie_side_by_side_use_each_other_one_way()
    {
        var arrows = Sources()
            .SelectMany(source => UsedNamespaces(source.Text).Select(used => (From: source.Folder, To: used)))
            .Where(arrow => arrow.From != arrow.To && RoomOf(arrow.From) == RoomOf(arrow.To) && !IsBelow(arrow.From, arrow.To))
            .ToHashSet();
        arrows.Where(arrow => arrows.Contains((arrow.To, arrow.From))).ShouldBeEmpty();

        static bool IsBelow(string one, string other) =>
            one.StartsWith(other + "/", StringComparison.Ordinal) || other.StartsWith(one + "/", StringComparison.Ordinal);
    }

    [Fact]
    public void Statements_use_the_tables_of_their_own_room_and_those_that_it_may_use()
    {
        var wrong = Sources()
            // Their names are written as those of tables are.
            .Where(source => !source.File.EndsWith("Metrics.cs", StringComparison.Ordinal))
            .SelectMany(source =>
                Table().Matches(source.Text).Select(match => (source.Room, source.File, Table: match.Groups["table"].Value))
            )
            // A file, a setting of the session, and media types.
            .Where(use => use.Table is not ("xml" or "session" or "batch" or "shipment"))
            .Where(use => !_tables.TryGetValue(use.Table, out var rooms) || !rooms.Contains(use.Room))
            .Select(use => $"{use.File} uses filetransfer.{use.Table}");
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Only_its_transitions_write_a_replica() =>
        Sources()
            .Where(source => ReplicaWrite().IsMatch(source.Text))
            .Select(source => source.Folder)
            .Distinct()
            .ShouldBe(["Catalog/Replicas"]);

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
            .Select(source => source.Room)
            .Where(room => room != "")
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
        notifying.ShouldBe([Path.Combine("Postgres", "DatabaseNotifications.cs")]);
    }

    private static bool MayUse(string room, string used) =>
        room == ""
        || _foundations.Contains(used)
        || (!_foundations.Contains(room) && Array.IndexOf(_layers, used) < Array.IndexOf(_layers, room));

    private static string RoomOf(string folder) =>
        _layers.FirstOrDefault(layer => folder.StartsWith(layer, StringComparison.Ordinal)) ?? folder.Split('/')[0];

    private static IEnumerable<(string Room, string Folder, string Namespace, string File, string Text)> Sources()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/FileTransfer"));
        foreach (var file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar);
            if (parts[0] is not ("bin" or "obj"))
            {
                var folder = string.Join('/', parts[..^1]);
                yield return (
                    RoomOf(folder),
                    folder,
                    string.Join('.', parts[..^1].Prepend("FileTransfer")),
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

    private static IEnumerable<string> Uses(string text) => UsedNamespaces(text).Select(RoomOf).Distinct();

    /// <summary>By using directives and by qualified names.</summary>
    private static IEnumerable<string> UsedNamespaces(string text) =>
        UsedNamespace()
            .Matches(text)
            .Select(match => FolderOf(match.Groups["name"].Value))
            .Where(folder => folder != "")
            .Distinct();

    /// <summary>The longest part of a qualified name that is a folder.</summary>
    private static string FolderOf(string name)
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src/FileTransfer"));
        var folder = name.Replace('.', '/');
        while (folder != "" && !Directory.Exists(Path.Combine(root, folder)))
        {
            folder = folder.Contains('/') ? folder[..folder.LastIndexOf('/')] : "";
        }

        return folder;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"\bFileTransfer\.(?<name>[A-Z]\w*(?:\.[A-Z]\w*)*)", RegexOptions.NonBacktracking)]
    private static partial Regex UsedNamespace();

    [GeneratedRegex(@"\w+", RegexOptions.NonBacktracking)]
    private static partial Regex Word();

    [GeneratedRegex(@"\bfiletransfer\.(?<table>[a-z_]+)\b", RegexOptions.NonBacktracking)]
    private static partial Regex Table();

    [GeneratedRegex(@"(?:UPDATE|INTO|DELETE FROM) filetransfer\.replicas\b", RegexOptions.NonBacktracking)]
    private static partial Regex ReplicaWrite();

    [GeneratedRegex(@"pg_notify\s*\(|(?:^|""|;)\s*NOTIFY\s", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Notify();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex NamespaceLine();
}

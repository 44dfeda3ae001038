using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FileTransfer.Tests.Documents;

/// <summary>One Markdown file of the repository.</summary>
internal sealed partial class Document
{
    public static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../.."));

    private readonly List<string> _code = [];
    private readonly List<string> _text = [];

    private Document(string path)
    {
        Name = Path.GetRelativePath(Root, path);
        var inBlock = false;
        foreach (var line in File.ReadLines(path))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                inBlock = !inBlock;
            }
            else if (inBlock)
            {
                _code.Add(line);
            }
            else
            {
                _code.AddRange(CodeSpan().Matches(line).Select(match => match.Groups["code"].Value));
                _text.Add(line);
            }
        }
    }

    /// <summary>Path from the repository's root.</summary>
    public string Name { get; }

    /// <summary>Lines of code blocks, and what stands between backticks.</summary>
    public IReadOnlyList<string> Code => _code;

    /// <summary>Lines outside of code blocks.</summary>
    public IReadOnlyList<string> Text => _text;

    /// <summary>Targets of links and pictures that are no URLs.</summary>
    public IEnumerable<string> Links =>
        _text
            .SelectMany(line => Link().Matches(CodeSpan().Replace(line, "")))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal));

    /// <summary>What a link to a heading has behind the '#', as GitHub makes it of the heading.</summary>
    public IEnumerable<string> Anchors =>
        _text
            .Where(line => line.StartsWith('#'))
            .Select(line => NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>All that people are to read: at the root and under <c>docs</c>.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        .. Directory
            .EnumerateFiles(Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Select(path => new Document(path)),
    ];

    public static Document Named(string name) => All.Single(document => document.Name == name);

    /// <summary>The first cells of the table rows below a heading.</summary>
    public IEnumerable<string> FirstCells(string heading) =>
        _text
            .SkipWhile(line => line != heading)
            .Skip(1)
            .TakeWhile(line => !line.StartsWith('#'))
            .Where(line => line.StartsWith('|'))
            .Skip(2)
            .Select(line => line.Split('|')[1]);

    /// <summary>What stands between backticks.</summary>
    public static IEnumerable<string> CodeIn(string text) => CodeSpan().Matches(text).Select(match => match.Groups["code"].Value);

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex("`(?<code>[^`]+)`", RegexOptions.NonBacktracking)]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.NonBacktracking)]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.NonBacktracking)]
    private static partial Regex NotInAnchor();
}

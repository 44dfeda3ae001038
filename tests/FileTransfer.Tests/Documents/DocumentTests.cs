using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using FileTransfer.Hosting.Configuration;
using FileTransfer.Http;

namespace FileTransfer.Tests.Documents;

/// <summary>What the documents name exists, and what they list in full is all there is.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Every_link_leads_to_a_file_and_a_heading()
    {
        var broken =
            from document in Document.All
            from link in document.Links
            let parts = link.Split('#')
            let path = parts[0] == "" ? document.Name : Path.Combine(Path.GetDirectoryName(document.Name)!, parts[0])
            where !Leads(path, parts.ElementAtOrDefault(1))
            select $"{document.Name}: {link}";
        broken.ShouldBeEmpty();
    }

    [Fact]
    public void The_readme_lists_every_setting_and_no_other()
    {
        var listed = Document.Named("README.md").FirstCells("## Configuration").SelectMany(SettingsIn);

        listed.Order(StringComparer.Ordinal).ShouldBe(SettingNames.All.Select(Plain).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_setting_that_a_file_for_deploying_gives_exists()
    {
        var given =
            from file in Directory
                .EnumerateFiles(Path.Combine(Document.Root, "deploy"), "*", SearchOption.AllDirectories)
                .Append(Path.Combine(Document.Root, "docker-compose.yml"))
            from Match setting in InEnvironment().Matches(InTemplate().Replace(File.ReadAllText(file), "0"))
            select setting.Value.Replace("__", ":", StringComparison.Ordinal);

        given.Count().ShouldBeGreaterThan(40);
        given.Where(name => !SettingNames.IsKnown(name)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_command_and_option_of_the_program_in_a_document_exists()
    {
        var unknown =
            from document in Document.All
            from line in document.Code
            from Match call in Call().Matches(Comment().Replace(line, ""))
            let fault = FaultOf(call.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            where fault is not null
            select $"{document.Name}: {fault} in '{line}'";
        unknown.ShouldBeEmpty();
    }

    [Fact]
    public void The_facts_that_a_document_names_exist()
    {
        var facts =
            from document in Document.All
            from code in document.Code
            let fact = Fact().Match(code)
            where fact.Success
            select (document.Name, Class: fact.Groups["class"].Value, Method: fact.Groups["method"].Value);
        var sources = Directory
            .EnumerateFiles(Path.Combine(Document.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .ToLookup(Path.GetFileNameWithoutExtension, File.ReadAllText);

        facts.Count().ShouldBeGreaterThan(12);
        facts
            .Where(fact => !sources[fact.Class].Any(source => source.Contains($" {fact.Method}(", StringComparison.Ordinal)))
            .ShouldBeEmpty();
    }

    [Fact]
    public void The_files_and_methods_that_the_architecture_names_exist()
    {
        var steps = Document.Named(Path.Combine("docs", "architecture.md")).Text.Select(line => Step().Match(line)).ToList();
        var missing =
            from step in steps
            where step.Success
            let source = Path.Combine(Document.Root, "src", "FileTransfer", step.Groups["file"].Value)
            where !File.Exists(source) || !Has(File.ReadAllText(source), step.Groups["method"].Value)
            select step.Value;

        steps.Count(step => step.Success).ShouldBeGreaterThan(40);
        missing.ShouldBeEmpty();
        steps
            .Where(step => step.Groups["number"].Success)
            .Max(step => int.Parse(step.Groups["number"].Value, null))
            .ShouldBeLessThanOrEqualTo(12);

        static bool Has(string source, string method) => method == "" || source.Contains($" {method}", StringComparison.Ordinal);
    }

    [Fact]
    public void The_protocol_lists_every_problem_and_no_other()
    {
        var listed = Document
            .Named(Path.Combine("docs", "protocol.md"))
            .Text.SkipWhile(line => line != "## Problems")
            .SelectMany(Document.CodeIn)
            .ToHashSet(StringComparer.Ordinal);
        var known = typeof(ProblemTypes)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => field.GetValue(null))
            .OfType<ProblemType>()
            .Select(type => type.Slug)
            .ToHashSet(StringComparer.Ordinal);

        known.Except(listed).ShouldBeEmpty();
        listed.Where(word => Slug().IsMatch(word)).Except(known).ShouldBeEmpty();
    }

    private static bool Leads(string path, string? anchor)
    {
        var full = Path.GetFullPath(Path.Combine(Document.Root, path));
        return anchor is null
            ? File.Exists(full) || Directory.Exists(full)
            : Document.All.Any(document =>
                Path.Combine(Document.Root, document.Name) == full && document.Anchors.Contains(anchor)
            );
    }

    /// <summary>Of <c>`A:B`, `C`</c> the names A:B and A:C; of <c>`A:{B,C}`</c> the same.</summary>
    private static IEnumerable<string> SettingsIn(string cell)
    {
        var section = "";
        foreach (var name in Document.CodeIn(cell).Where(name => !name.StartsWith("--", StringComparison.Ordinal)))
        {
            var full = name.Contains(':', StringComparison.Ordinal) ? name : section + name;
            section = full[..(full.LastIndexOf(':') + 1)];
            var end = full[section.Length..].Trim('{', '}');
            foreach (var part in end.Split(','))
            {
                yield return section + part;
            }
        }
    }

    /// <summary>As the README has it: N for the number of an entry, and a list of values by its own name.</summary>
    private static string Plain(string setting) => EndOfList().Replace(setting, "").Replace(":0:", ":N:");

    private static string? FaultOf(string[] words)
    {
        if (!Program.Commands.TryGetValue(words[0], out var create))
        {
            return $"no command {words[0]}";
        }

        List<Command> path = [create()];
        if (path[0].Subcommands.Count > 0 && words.Length > 1 && words[1][0] is not '-')
        {
            if (path[0].Subcommands.FirstOrDefault(command => command.Name == words[1]) is not { } sub)
            {
                return $"no command {words[0]} {words[1]}";
            }

            path.Add(sub);
        }

        return words
            .Where(word => word.StartsWith("--", StringComparison.Ordinal))
            .Where(word => !path.Exists(command => Knows(command, word)))
            .Select(word => $"no option {word}")
            .FirstOrDefault();
    }

    private static bool Knows(Command command, string option) =>
        option is "--help"
        || command.Options.Any(known => known.Name == option || known.Aliases.Contains(option))
        || (command.Name == "serve" && (option == "--adopt-catalog" || SettingNames.IsKnown(option[2..].Split('=')[0])));

    /// <summary>The program's name, a command, and what belongs to it: up to a pipe or the like.</summary>
    [GeneratedRegex(
        @"(?:^|[\s(])(?:filetransfer|--project src/FileTransfer --) (?<words>[a-z][^|;)>&]*)",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex Call();

    [GeneratedRegex(@"(?:^|\s)#.*", RegexOptions.NonBacktracking)]
    private static partial Regex Comment();

    [GeneratedRegex("^[a-z]+(?:-[a-z]+)+$", RegexOptions.NonBacktracking)]
    private static partial Regex Slug();

    /// <summary>A file of the source, and the method of it that a numbered step names.</summary>
    [GeneratedRegex(
        @"(?:^(?<number>\d+)\. )?`(?<file>[A-Z][\w/.]+\.cs)`(?: `(?<method>\w+)`)?",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Step();

    [GeneratedRegex(@"^(?<class>[A-Z]\w*Tests)\.(?<method>[A-Z]\w*_\w*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Fact();

    [GeneratedRegex(@":0$", RegexOptions.NonBacktracking)]
    private static partial Regex EndOfList();

    [GeneratedRegex(@"\b(?:FileTransfer|ConnectionStrings|Kestrel)__\w+", RegexOptions.NonBacktracking)]
    private static partial Regex InEnvironment();

    [GeneratedRegex(@"\{\{[^}]*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex InTemplate();
}

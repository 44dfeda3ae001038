using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using FileTransfer.Hosting;
using Microsoft.Extensions.Logging;

namespace FileTransfer.Tests.Documents;

/// <summary>An event id names one line of the log, and its range the room that writes it: the table of docs/operations.md.</summary>
public sealed partial class EventIdTests
{
    private static readonly Dictionary<string, Range> _rooms = Document
        .Named(Path.Combine("docs", "operations.md"))
        .Text.Select(line => Row().Match(line))
        .Where(match => match.Success)
        .ToDictionary(match => match.Groups["room"].Value, match => Number(match, "from")..Number(match, "to"));

    private static readonly IReadOnlyList<(string Room, string Name, int Id)> _events =
    [
        .. from type in typeof(FileTransferServer).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        let message = method.GetCustomAttribute<LoggerMessageAttribute>()
        where message is not null
        select (type.Namespace!.Split('.')[1], $"{type.FullName}.{method.Name}", message.EventId),
    ];

    [Fact]
    public void No_two_lines_of_the_log_have_one_id()
    {
        _events.Count.ShouldBeGreaterThan(100);
        _events.GroupBy(line => line.Id).Where(lines => lines.Count() > 1).SelectMany(lines => lines).ShouldBeEmpty();
    }

    [Fact]
    public void Every_id_lies_in_the_range_of_its_room() =>
        _events.Where(line => !_rooms.TryGetValue(line.Room, out var range) || !IsIn(range, line.Id)).ShouldBeEmpty();

    [Fact]
    public void No_range_meets_another()
    {
        var ranges = _rooms.Values.OrderBy(range => range.Start.Value).ToList();
        ranges.Zip(ranges.Skip(1)).Where(pair => pair.First.End.Value >= pair.Second.Start.Value).ShouldBeEmpty();
    }

    private static bool IsIn(Range range, int id) => id >= range.Start.Value && id <= range.End.Value;

    private static int Number(Match match, string group) =>
        int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^\| (?<from>\d{4})–(?<to>\d{4}) \| `(?<room>[A-Z]\w+)`",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex Row();
}

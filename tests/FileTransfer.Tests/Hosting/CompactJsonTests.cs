using System.Text.Json;
using FileTransfer.Hosting;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace FileTransfer.Tests.Hosting;

public sealed class CompactJsonTests
{
    [Fact]
    public void The_message_is_the_sentence_of_the_text_format_and_its_values_are_members()
    {
        var line = Line(log => log.Warning("Node {Node} has {Count:000} files of {@Owner}", "a \"b\"", 7, new[] { "x", "y" }));

        line.GetProperty("@m").GetString().ShouldBe("Node a \"b\" has 007 files of [\"x\", \"y\"]");
        line.GetProperty("@l").GetString().ShouldBe("Warning");
        line.GetProperty("@t").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        line.GetProperty("Node").GetString().ShouldBe("a \"b\"");
        line.GetProperty("Count").GetInt32().ShouldBe(7);
        line.GetProperty("Owner").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public void A_template_has_one_id_whatever_its_values()
    {
        var ids = new[] { "a", "b" }.Select(value =>
            Line(log => log.Information("{Value} came", value)).GetProperty("@i").GetString()
        );

        ids.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public void A_fault_is_told_in_full()
    {
        var line = Line(log => log.Error(new InvalidOperationException("no\nline"), "It failed"));

        line.GetProperty("@x").GetString()!.ShouldContain("InvalidOperationException: no\nline");
    }

    private static JsonElement Line(Action<ILogger> write)
    {
        var sink = new Written();
        using (var log = new LoggerConfiguration().WriteTo.Sink(sink).CreateLogger())
        {
            write(log);
        }

        return JsonDocument.Parse(sink.Lines.ShouldHaveSingleItem()).RootElement;
    }

    private sealed class Written : ILogEventSink
    {
        private readonly CompactJson _format = new();

        public List<string> Lines { get; } = [];

        public void Emit(LogEvent logEvent)
        {
            var line = new StringWriter();
            _format.Format(logEvent, line);
            Lines.Add(line.ToString());
        }
    }
}

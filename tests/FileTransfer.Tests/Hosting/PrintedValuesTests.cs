using FileTransfer.Hosting;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace FileTransfer.Tests.Hosting;

public sealed class PrintedValuesTests
{
    [Fact]
    public void What_another_cluster_answers_neither_begins_a_line_of_the_log_nor_steers_a_terminal()
    {
        var sink = new Lines();
        using var logger = new LoggerConfiguration().Enrich.With<PrintedValues>().WriteTo.Sink(sink).CreateLogger();

        logger.Warning(
            "Upstream {Name:l} at {Url} cannot be pulled: {Reason:l}",
            "up",
            5,
            "why\u001b]0;x\a\r\u202e\nanother line"
        );

        sink.All.ShouldBe([@"Upstream up at 5 cannot be pulled: why\x1b]0;x\x07\x0d\u202e\x0aanother line"]);
    }

    private sealed class Lines : ILogEventSink
    {
        public List<string> All { get; } = [];

        public void Emit(LogEvent logEvent) => All.Add(logEvent.RenderMessage());
    }
}

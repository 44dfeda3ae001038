using Serilog.Core;
using Serilog.Events;

namespace FileTransfer.Hosting;

/// <summary>What others have said stays a part of its line of the log, and steers no terminal that shows it.</summary>
internal sealed class PrintedValues : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToList())
        {
            if (value is ScalarValue { Value: string text } && text.Any(PrintedText.IsObeyed))
            {
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue(PrintedText.Line(text))));
            }
        }
    }
}

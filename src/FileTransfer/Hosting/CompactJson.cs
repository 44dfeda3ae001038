using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace FileTransfer.Hosting;

/// <summary>Serilog's compact JSON, one object per line, with the message as the text format has it.</summary>
/// <remarks>
/// <see cref="RenderedCompactJsonFormatter"/> alone puts each text within <c>@m</c> in quotes, which JSON then escapes. A template says
/// itself that it wants none, by the format <c>l</c>; so every text is given that.
/// </remarks>
internal sealed class CompactJson : ITextFormatter
{
    private readonly RenderedCompactJsonFormatter _json = new(new JsonValueFormatter(typeTagName: null));

    public void Format(LogEvent logEvent, TextWriter output) =>
        _json.Format(
            new LogEvent(
                logEvent.Timestamp,
                logEvent.Level,
                logEvent.Exception,
                new MessageTemplate(
                    logEvent.MessageTemplate.Text,
                    logEvent.MessageTemplate.Tokens.Select(token => Literal(token, logEvent.Properties))
                ),
                logEvent.Properties.Select(property => new LogEventProperty(property.Key, property.Value)),
                logEvent.TraceId ?? default,
                logEvent.SpanId ?? default
            ),
            output
        );

    private static MessageTemplateToken Literal(
        MessageTemplateToken token,
        IReadOnlyDictionary<string, LogEventPropertyValue> properties
    ) =>
        token is PropertyToken { Format: null } named
        && properties.TryGetValue(named.PropertyName, out var value)
        && value is ScalarValue { Value: string }
            ? new PropertyToken(named.PropertyName, named.ToString(), "l", named.Alignment, named.Destructuring)
            : token;
}

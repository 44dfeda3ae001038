using System.Text.Encodings.Web;
using FileTransfer.Exports;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FileTransfer.Cli.Output;

/// <summary>What a command says: results on standard output, everything else on standard error; text, or JSON lines.</summary>
public sealed class CliConsole(CliStreams streams, bool json)
{
    // A terminal shows locations as they are written; nothing here ends up in HTML.
    private static readonly JavaScriptEncoder _encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private const int WideTerminal = 100;

    private readonly Lock _lock = new();
    private IAnsiConsole? _live;

    public bool IsJson => json;

    public bool OutputIsTerminal => streams.OutputIsTerminal && !json;

    /// <summary>A result: its text for a person or a pipe, its value for a script.</summary>
    /// <param name="text">What it is in words.</param>
    /// <param name="value">The same as JSON.</param>
    public void Result<T>(string text, T value)
    {
        var line = json ? Serialize(value) : PrintedText.Lines(text);
        lock (_lock)
        {
            if (_live is { } live && streams.OutputIsTerminal)
            {
                live.WriteLine(line);
                return;
            }

            streams.Out.WriteLine(line);
            streams.Out.Flush();
        }
    }

    /// <summary>A table or the like, for a person at a terminal: made for its width.</summary>
    public void Show(Func<bool, IRenderable> renderable)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(streams.Out) });
        console.Write(renderable(console.Profile.Width >= WideTerminal));
    }

    public void Notice(string text) => WriteError(json ? Serialize(new NoticeLine(text)) : text);

    /// <summary>Says what failed, and returns what it is worth as an exit code.</summary>
    public ExitCode Failure(Exception fault, string? subject = null)
    {
        var code = CodeOf(fault);
        var problem = fault as IFailure;
        var title = problem?.Title is { } given && given != fault.Message ? $" ({given})" : "";
        var about = subject is null ? "" : $"{subject}: ";
        WriteError(
            json
                ? Serialize(new ErrorLine(fault.Message, problem?.Title, problem?.Type, subject, (int)code))
                : $"error: {about}{fault.Message}{title}"
        );
        return code;
    }

    /// <summary>What a failure of any kind is worth to a script.</summary>
    public static ExitCode CodeOf(Exception fault) =>
        fault switch
        {
            IFailure failure => failure.Code,
            ExportException { Fault: ExportFault.Gone } => ExitCode.NotFound,
            ExportException { Fault: ExportFault.NotProven } => ExitCode.NotProven,
            FatalStartException => ExitCode.Configuration,
            _ => ExitCode.Failed,
        };

    /// <summary>Runs <paramref name="work"/> with progress bars where someone watches, without them elsewhere.</summary>
    public async Task<T> WithProgressAsync<T>(Func<TransferProgress, Task<T>> work)
    {
        if (json || !streams.ErrorIsTerminal)
        {
            return await work(TransferProgress.None);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(streams.Error) });
        return await console
            .Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(ColumnsFor(console.Profile.Width))
            .StartAsync(async context =>
            {
                SetLive(console);
                try
                {
                    return await work(new TransferProgress(context));
                }
                finally
                {
                    SetLive(null);
                }
            });
    }

    /// <summary>Runs <paramref name="work"/> with a line that says how far it is where someone watches, and without it elsewhere.</summary>
    public async Task<T> WithStatusAsync<T>(Func<Action<string>, Task<T>> work)
    {
        if (json || !streams.ErrorIsTerminal)
        {
            return await work(_ => { });
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(streams.Error) });
        return await console
            .Status()
            .StartAsync("…", context => work(text => context.Status = Markup.Escape(PrintedText.Lines(text))));
    }

    /// <summary>Sizes in the units that options are written in; on a narrow terminal without what can be done without.</summary>
    private static ProgressColumn[] ColumnsFor(int width)
    {
        var description = new TaskDescriptionColumn { Alignment = Justify.Left };
        var done = new DoneColumn();
        var speed = new SpeedColumn();
        return width >= WideTerminal
            ? [description, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), done, speed, new RemainingTimeColumn()]
            : [description, new PercentageColumn(), done, speed];
    }

    private static string Serialize<T>(T value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = _encoder }))
        {
            JsonSerializer.Serialize(writer, value, CliJson.Of<T>());
        }

        return PrintedText.InJson(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private void WriteError(string line)
    {
        line = PrintedText.Lines(line);
        lock (_lock)
        {
            if (_live is { } live)
            {
                live.WriteLine(line);
                return;
            }

            streams.Error.WriteLine(line);
            streams.Error.Flush();
        }
    }

    private void SetLive(IAnsiConsole? console)
    {
        lock (_lock)
        {
            _live = console;
        }
    }
}

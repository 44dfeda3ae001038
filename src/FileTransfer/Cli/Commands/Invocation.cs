using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of a command: what was given, where results go, and the nodes that it asks.</summary>
internal sealed class Invocation(ParseResult parse, Func<Invocation, NodeSet>? connect, CancellationToken cancellationToken)
    : IDisposable
{
    private object? _gate;
    private NodeSet? _nodes;

    public CliStreams Streams { get; } = ((CliRoot)parse.RootCommandResult.Command).Streams;

    public ParseResult Parse => parse;

    public CliConsole Console => field ??= new CliConsole(Streams, CliOption.WantsJson(parse));

    public CancellationToken CancellationToken => cancellationToken;

    public TimeProvider Time => Streams.Time;

    /// <summary>Connected once, whichever of several tasks is first: a parse result must not be asked for names by two at a time either.</summary>
    public NodeSet Nodes => LazyInitializer.EnsureInitialized(ref _nodes, ref _gate, () => connect!(this));

    public T? Get<T>(Option<T> option) => parse.GetValue(option);

    public T Get<T>(Argument<T> argument) => parse.GetValue(argument)!;

    /// <summary>What was given; null where nothing was.</summary>
    public T? Given<T>(Option<T> option)
        where T : struct => parse.GetResult(option) is null ? null : parse.GetValue(option);

    public bool IsGiven(Argument argument) => parse.GetResult(argument) is { Tokens.Count: > 0 };

    public Task<T> AskAsync<T>(Func<NodeClient, Task<T>> ask) => Nodes.RunAsync(ask);

    /// <summary>Prints a result that is a good end.</summary>
    public ExitCode Show<T>(string text, T value)
    {
        Console.Result(text, value);
        return ExitCode.Ok;
    }

    /// <summary>The same in lines.</summary>
    public ExitCode Show<T>(IEnumerable<string> lines, T value) => Show(string.Join(Environment.NewLine, lines), value);

    /// <summary>Does the same for one file after the other; what is wrong with one of them does not keep the others from it.</summary>
    public async Task<ExitCode> EachAsync(IEnumerable<FileKey> keys, Func<FileKey, Task<ExitCode>> work)
    {
        var end = ExitCode.Ok;
        foreach (var key in keys)
        {
            try
            {
                end = end.And(await work(key));
            }
            catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
            {
                end = end.And(Console.Failure(fault, key.ToString()));
            }
        }

        return end;
    }

    public void Dispose() => _nodes?.Dispose();
}

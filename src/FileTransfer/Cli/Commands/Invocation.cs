using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary>One run of a command: what was given, where results go, and the nodes that it asks.</summary>
internal sealed class Invocation(
    ParseResult parse,
    CliConsole console,
    Func<ParseResult, CliConsole, NodeSet>? connect,
    CancellationToken cancellationToken
) : IDisposable
{
    private NodeSet? _nodes;

    public ParseResult Parse => parse;

    public CliConsole Console => console;

    public CancellationToken CancellationToken => cancellationToken;

    public NodeSet Nodes => _nodes ??= connect!(parse, console);

    public T? Get<T>(Option<T> option) => parse.GetValue(option);

    public T Get<T>(Argument<T> argument) => parse.GetValue(argument)!;

    /// <summary>What was given; null where nothing was.</summary>
    public T? Given<T>(Option<T> option)
        where T : struct => parse.GetResult(option) is null ? null : parse.GetValue(option);

    public Task<T> AskAsync<T>(Func<NodeClient, CancellationToken, Task<T>> ask) => Nodes.RunAsync(ask, cancellationToken);

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
                end = end.And(console.Failure(fault, key.ToString()));
            }
        }

        return end;
    }

    public void Dispose() => _nodes?.Dispose();
}

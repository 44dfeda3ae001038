using FileTransfer.Cli.Client;
using FileTransfer.Cli.Commands;
using FileTransfer.Cli.Output;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class InvocationTests
{
    private const int Tasks = 8;

    [Fact]
    public void Nodes_are_connected_once_however_many_tasks_ask_first()
    {
        var connected = 0;
        using var barrier = new Barrier(Tasks);
        using var http = new HttpClient();
        using var run = new Invocation(new CliRoot(CliStreams.OfProcess()).Parse([]), Connect, CancellationToken.None);
        var threads = Enumerable.Range(0, Tasks).Select(_ => new Thread(Ask)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        connected.ShouldBe(1);

        void Ask()
        {
            barrier.SignalAndWait();
            run.Nodes.ShouldNotBeNull();
        }

        NodeSet Connect(Invocation _)
        {
            Interlocked.Increment(ref connected);
            Thread.Yield();
            return new NodeSet(
                [new Uri("http://127.0.0.1:7070")],
                http,
                new NodeRetry(TimeSpan.Zero, TimeSpan.Zero),
                TimeProvider.System,
                _ => { },
                CancellationToken.None
            );
        }
    }
}

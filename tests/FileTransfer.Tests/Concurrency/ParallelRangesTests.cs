using System.Collections.Concurrent;
using FileTransfer.Concurrency;

namespace FileTransfer.Tests.Concurrency;

public sealed class ParallelRangesTests
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(1000, 1)]
    [InlineData(1000, 4)]
    public void Each_part_is_done_once(int parts, int atMost)
    {
        var done = new ConcurrentQueue<long>();

        ParallelRanges.Run(parts, atMost, done.Enqueue);

        done.Order().ShouldBe(Enumerable.Range(0, parts).Select(part => (long)part));
    }

    [Fact]
    public void One_thread_is_the_callers_own()
    {
        var threads = new ConcurrentBag<Thread>();

        ParallelRanges.Run(10, 1, _ => threads.Add(Thread.CurrentThread));

        threads.Distinct().ShouldBe([Thread.CurrentThread]);
    }

    [Fact]
    public void Two_parts_are_done_at_once()
    {
        using var both = new Barrier(2);

        ParallelRanges.Run(2, 2, _ => both.SignalAndWait(TimeSpan.FromMinutes(1)).ShouldBeTrue());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_part_that_fails_ends_the_work_with_its_own_exception(int atMost)
    {
        var running = 0;
        var done = 0;

        var failure = Should.Throw<InvalidDataException>(() =>
            ParallelRanges.Run(
                1_000_000_000,
                atMost,
                part =>
                {
                    Interlocked.Increment(ref running);
                    Interlocked.Increment(ref done);
                    Interlocked.Decrement(ref running);
                    if (part == 100)
                    {
                        throw new InvalidDataException("part 100");
                    }
                }
            )
        );

        failure.Message.ShouldBe("part 100");
        running.ShouldBe(0);
        done.ShouldBeLessThan(1_000_000_000);
    }

    [Fact]
    public void Cancelled_work_ends_between_two_parts()
    {
        using var cancelled = new CancellationTokenSource();
        var done = 0;

        Should.Throw<OperationCanceledException>(() =>
            ParallelRanges.Run(
                1000,
                1,
                _ =>
                {
                    done++;
                    cancelled.Cancel();
                },
                cancelled.Token
            )
        );

        done.ShouldBe(1);
    }
}

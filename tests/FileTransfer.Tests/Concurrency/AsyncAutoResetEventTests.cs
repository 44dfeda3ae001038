using FileTransfer.Concurrency;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Concurrency;

public sealed class AsyncAutoResetEventTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly AsyncAutoResetEvent _event = new();

    [Fact]
    public async Task What_is_set_often_wakes_one_wait_and_the_next_ends_by_its_time()
    {
        _event.Set();
        _event.Set();
        (await WaitAsync(TimeSpan.Zero)).ShouldBeTrue();

        var wait = WaitAsync(TimeSpan.FromSeconds(3));
        _time.Advance(TimeSpan.FromSeconds(2));
        wait.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await wait).ShouldBeFalse();
    }

    [Fact]
    public async Task Of_two_waits_one_takes_what_is_set_and_the_other_goes_on_to_its_end()
    {
        var waits = new List<Task<bool>> { WaitAsync(TimeSpan.FromSeconds(3)), WaitAsync(TimeSpan.FromSeconds(3)) };
        _time.Advance(TimeSpan.FromSeconds(1));
        _event.Set();
        var first = await Task.WhenAny(waits);
        (await first).ShouldBeTrue();

        waits.Remove(first);
        while (!waits[0].IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        (await waits[0]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_wait_that_is_cancelled_leaves_what_is_set_to_the_next()
    {
        using var cancelled = new CancellationTokenSource();
        var wait = _event.WaitAsync(Timeout.InfiniteTimeSpan, _time, cancelled.Token);
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => wait);

        _event.Set();
        (await WaitAsync(Timeout.InfiniteTimeSpan)).ShouldBeTrue();
    }

    private Task<bool> WaitAsync(TimeSpan atMost) => _event.WaitAsync(atMost, _time, TestContext.Current.CancellationToken);
}

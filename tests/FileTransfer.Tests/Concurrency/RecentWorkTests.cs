using FileTransfer.Concurrency;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Concurrency;

public sealed class RecentWorkTests
{
    private readonly FakeTimeProvider _time = new();
    private int _runs;

    [Fact]
    public async Task It_is_done_once_for_all_who_ask_within_its_age_and_anew_for_whoever_asks_later()
    {
        var work = new RecentWork<string, int>(TimeSpan.FromSeconds(1), _time);

        (await Task.WhenAll(AskAsync(work, "a"), AskAsync(work, "a"))).ShouldBe([1, 1]);
        (await AskAsync(work, "b")).ShouldBe(2);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        (await AskAsync(work, "a")).ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        (await AskAsync(work, "a")).ShouldBe(3);
    }

    [Fact]
    public async Task Work_that_takes_longer_than_its_age_is_joined_and_goes_on_when_its_first_caller_leaves()
    {
        var work = new RecentWork<string, int>(TimeSpan.FromSeconds(1), _time);
        var gate = new TaskCompletionSource<int>();
        using var leaves = new CancellationTokenSource();
        var first = work.RunAsync("a", () => gate.Task, leaves.Token);
        _time.Advance(TimeSpan.FromSeconds(5));
        var second = AskAsync(work, "a");

        await leaves.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        gate.SetResult(42);

        (await second).ShouldBe(42);
        _runs.ShouldBe(0);
    }

    private Task<int> AskAsync(RecentWork<string, int> work, string key) =>
        work.RunAsync(key, () => Task.FromResult(Interlocked.Increment(ref _runs)), CancellationToken.None);
}

using FileTransfer.Concurrency;

namespace FileTransfer.Tests.Concurrency;

public sealed class SharedWorkTests
{
    private readonly SharedWork<string, int> _work = new();
    private readonly TaskCompletionSource<int> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;

    [Fact]
    public async Task What_many_ask_for_at_the_same_time_is_done_once()
    {
        var asked = Enumerable.Range(0, 20).Select(_ => _work.RunAsync("one", BeginAsync, default)).ToList();

        _result.SetResult(7);

        (await Task.WhenAll(asked)).ShouldAllBe(result => result == 7);
        _begun.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_asked_for_later_or_differs_is_done_anew()
    {
        _result.SetResult(7);

        await _work.RunAsync("one", BeginAsync, default);
        await _work.RunAsync("one", BeginAsync, default);
        await _work.RunAsync("two", BeginAsync, default);

        _begun.ShouldBe(3);
    }

    [Fact]
    public async Task Whoever_leaves_lets_it_go_on_for_the_others()
    {
        using var left = new CancellationTokenSource();
        var first = _work.RunAsync("one", BeginAsync, left.Token);
        var second = _work.RunAsync("one", BeginAsync, default);

        await left.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        _result.SetResult(7);

        (await second).ShouldBe(7);
        _begun.ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_is_told_to_all_who_asked_and_kept_from_those_who_ask_later()
    {
        var first = _work.RunAsync("one", BeginAsync, default);
        _result.SetException(new IOException("gone"));

        await Should.ThrowAsync<IOException>(first);
        (await _work.RunAsync("one", () => Task.FromResult(8), default)).ShouldBe(8);
    }

    private Task<int> BeginAsync()
    {
        _begun++;
        return _result.Task;
    }
}

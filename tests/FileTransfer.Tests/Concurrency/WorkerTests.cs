using FileTransfer.Concurrency;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Concurrency;

public sealed class WorkerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_pause_holds_up_the_next_round_and_ends_by_itself_or_when_a_person_says_so()
    {
        var worker = new WorkerRegistry(_time).Add("one", "does one thing");
        worker.PauseFor(TimeSpan.FromHours(1));
        var round = worker.RunAsync(() => Task.FromResult(7), CancellationToken.None);
        round.IsCompleted.ShouldBeFalse();
        worker.PausedUntil.ShouldBe(_time.GetUtcNow() + TimeSpan.FromHours(1));

        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(2));
        (await round).ShouldBe(7);

        worker.PauseFor(TimeSpan.FromHours(1));
        round = worker.RunAsync(() => Task.FromResult(8), CancellationToken.None);
        worker.Resume();
        (await round).ShouldBe(8);
        (worker.Rounds, worker.PausedUntil).ShouldBe((2, null));
    }

    [Fact]
    public async Task What_a_round_fails_of_is_kept_and_thrown_and_a_stop_is_no_failure()
    {
        var worker = new WorkerRegistry(_time).Add("one", "does one thing", TimeSpan.FromSeconds(5));
        await Should.ThrowAsync<IOException>(() =>
            worker.RunAsync(() => Task.FromException(new IOException("no disk")), CancellationToken.None)
        );
        (worker.LastError, worker.LastErrorAt, worker.Rounds, worker.WorkingSince).ShouldBe(
            ("no disk", _time.GetUtcNow(), 0, null)
        );

        await Should.ThrowAsync<OperationCanceledException>(() =>
            worker.RunAsync(() => Task.FromException(new OperationCanceledException("stopped")), CancellationToken.None)
        );
        worker.LastError.ShouldBe("no disk");
        worker.Set(TimeSpan.FromMinutes(1));
        worker.Pace.ShouldBe(TimeSpan.FromMinutes(1));
        worker.Set(null);
        worker.Pace.ShouldBe(TimeSpan.FromSeconds(5));
    }
}

using System.Buffers.Binary;
using FileTransfer.Downloads.Progress;
using FileTransfer.Identity;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Downloads;

public sealed class SourceAttemptHistoryTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SourceAttemptHistory _trials;

    public SourceAttemptHistoryTests() => _trials = new SourceAttemptHistory(_time);

    [Fact]
    public void What_each_source_last_said_is_remembered_the_latest_at_the_end()
    {
        _trials.Record(File(1), "node a", "timed out");
        _time.Advance(TimeSpan.FromSeconds(1));
        _trials.Record(File(1), "node b", "404");
        _time.Advance(TimeSpan.FromSeconds(1));
        _trials.Record(File(1), "node a", "timed out");

        _trials
            .Of(File(1))
            .ShouldBe([
                new SourceTrial("node b", "404", _time.GetUtcNow() - TimeSpan.FromSeconds(1), 1),
                new SourceTrial("node a", "timed out", _time.GetUtcNow(), 2),
            ]);
        _trials.Record(File(1), "node a", "refused");
        _trials.Of(File(1))[^1].Times.ShouldBe(1);
        _trials.Forget(File(1));
        _trials.Of(File(1)).ShouldBeEmpty();
    }

    [Fact]
    public void Files_sources_and_words_are_bounded_and_the_oldest_go_first()
    {
        for (var file = 0; file < SourceAttemptHistory.MaxFiles + 10; file++)
        {
            _trials.Record(File(file), "node a", "away");
            _trials.Record(File(0), "node a", "away");
        }

        _trials.Of(File(0)).ShouldHaveSingleItem().Times.ShouldBe(SourceAttemptHistory.MaxFiles + 11);
        _trials.Of(File(1)).ShouldBeEmpty();
        _trials.Of(File(SourceAttemptHistory.MaxFiles + 9)).ShouldHaveSingleItem();
        for (var source = 0; source < SourceAttemptHistory.MaxSources + 1; source++)
        {
            _trials.Record(File(0), $"node {source}", new string('x', 10_000));
        }

        _trials.Of(File(0)).Count.ShouldBe(SourceAttemptHistory.MaxSources);
        _trials.Of(File(0)).ShouldAllBe(trial => trial.Outcome.Length <= SourceAttemptHistory.MaxWords + 1);
    }

    private static FileKey File(int number)
    {
        var bytes = new byte[32];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return new FileKey(bytes);
    }
}

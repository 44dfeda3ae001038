using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads;

public sealed class SourceRestsTests
{
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(20);
    private static readonly NodeId Node = new("a");

    private readonly SetTime _time = new();
    private readonly SourceRests _rests;

    public SourceRestsTests() => _rests = new SourceRests(_time);

    [Fact]
    public void A_node_that_never_failed_does_not_rest() => _rests.Enter(Node, Forgotten).ShouldBeNull();

    [Fact]
    public void A_silent_node_rests_each_time_longer_up_to_half_a_minute()
    {
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            _rests.Failed(Node, "said nothing");
            var rest = _rests.Of(Node).ShouldNotBeNull();
            rest.Left.TotalSeconds.ShouldBe(seconds, 0.001);
            rest.Reason.ShouldBe("said nothing");
            _time.Advance(rest.Left);
            _rests.Enter(Node, Forgotten).ShouldBeNull();
        }
    }

    [Fact]
    public void After_a_rest_one_tries_and_the_others_look_again_in_a_second()
    {
        _rests.Failed(Node, "said nothing");
        _time.Advance(TimeSpan.FromSeconds(1));

        _rests.Enter(Node, Forgotten).ShouldBeNull();
        _rests.Enter(Node, Forgotten).ShouldNotBeNull().Left.ShouldBe(TimeSpan.FromSeconds(1));

        _rests.Answered(Node);
        _rests.Enter(Node, Forgotten).ShouldBeNull();
    }

    [Fact]
    public void A_try_that_says_nothing_is_forgotten()
    {
        _rests.Failed(Node, "said nothing");
        _time.Advance(TimeSpan.FromSeconds(1));
        _rests.Enter(Node, Forgotten).ShouldBeNull();

        _time.Advance(Forgotten);
        _rests.Enter(Node, Forgotten).ShouldBeNull();
    }

    [Fact]
    public void Downloads_that_met_the_same_silence_together_count_once()
    {
        _rests.Failed(Node, "said nothing");
        _rests.Failed(Node, "said nothing");
        _rests.Failed(Node, "said nothing");

        _rests.Of(Node).ShouldNotBeNull().Left.TotalSeconds.ShouldBe(1, 0.001);
    }

    private sealed class SetTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan span) => _ticks += span.Ticks;

        public override long GetTimestamp() => _ticks;
    }
}

using FileTransfer.Bandwidth;
using FileTransfer.Identity;
using FileTransfer.Serving;

namespace FileTransfer.Tests.Serving;

public sealed class ContentAdmissionTests
{
    private static readonly Fingerprint Content = Named(1);
    private static readonly NodeId A = new("a");
    private static readonly NodeId B = new("b");
    private static readonly NodeId C = new("c");

    private readonly ContentAdmission _turns;
    private ByteRate? _limit = new ByteRate(20_000_000);

    public ContentAdmissionTests() => _turns = new ContentAdmission(() => _limit);

    private TimeSpan _now = TimeSpan.FromHours(1);

    [Fact]
    public void The_first_to_ask_has_the_turn()
    {
        Enters(A).ShouldBeTrue();
        Enters(B).ShouldBeFalse();
    }

    [Fact]
    public void Other_contents_have_turns_of_their_own()
    {
        Enters(A).ShouldBeTrue();
        _turns.TryAcquire(B, Named(2), _now).ShouldBeTrue();
    }

    [Fact]
    public void While_a_turn_uses_the_uplink_all_others_are_turned_away_however_long_it_takes()
    {
        Enters(A).ShouldBeTrue();
        for (var i = 0; i < 600; i++)
        {
            Pass(0.1, (A, 20_000_000));
            Enters(B).ShouldBeFalse($"after {i} steps");
        }
    }

    [Fact]
    public void A_hiccup_of_its_reader_does_not_cost_a_turn()
    {
        Enters(A).ShouldBeTrue();
        Pass(1, (A, 20_000_000));
        Pass(0.15);
        Enters(B).ShouldBeFalse();
    }

    [Fact]
    public void The_holder_of_a_turn_may_have_several_requests_in_flight()
    {
        Enters(A).ShouldBeTrue();
        Pass(1, (A, 20_000_000));
        Enters(A).ShouldBeTrue();
        Leaves(A);
        Pass(1, (A, 20_000_000));
        Enters(B).ShouldBeFalse();
    }

    [Fact]
    public void Between_two_requests_a_turn_waits_a_second_for_its_node()
    {
        Enters(A).ShouldBeTrue();
        Pass(2, (A, 20_000_000));
        Leaves(A);
        Pass(0.9);
        Enters(A).ShouldBeTrue();
    }

    [Fact]
    public void A_turn_that_was_left_lets_others_in_before_its_second_is_over()
    {
        Enters(A).ShouldBeTrue();
        Pass(2, (A, 20_000_000));
        Enters(B).ShouldBeFalse();
        Leaves(A);
        Pass(0.3);
        Enters(B).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    [InlineData(12_000_000)]
    public void A_slow_asker_keeps_others_out_for_a_second_at_most(int rate)
    {
        Enters(A).ShouldBeTrue();
        Pass(1.05, (A, rate));
        Enters(B).ShouldBeTrue();
        Enters(C).ShouldBeFalse("B has just begun");
        Pass(1.05, (A, rate), (B, 1_000));
        Enters(C).ShouldBeTrue();
    }

    [Fact]
    public void A_slow_asker_keeps_nobody_out_while_other_contents_fill_the_uplink()
    {
        _turns.TryAcquire(C, Named(2), _now).ShouldBeTrue();
        Enters(A).ShouldBeTrue();
        Pass(0.6, (A, 1_000));
        for (var i = 0; i < 20; i++)
        {
            _now += TimeSpan.FromMilliseconds(50);
            _turns.Sent(C, Named(2), 1_000_000, _now);
        }

        Enters(B).ShouldBeTrue();
    }

    [Fact]
    public void A_turn_whose_first_bytes_come_late_is_young_from_then_on()
    {
        Enters(A).ShouldBeTrue();
        Pass(0.3);
        Pass(0.4, (A, 20_000_000));
        Enters(B).ShouldBeFalse();
        Pass(0.4, (A, 20_000_000));
        Enters(B).ShouldBeFalse("by now it is seen that A uses everything");
    }

    [Fact]
    public void Bytes_for_those_who_need_no_turn_use_the_uplink_too()
    {
        Enters(A).ShouldBeTrue();
        for (var i = 0; i < 20; i++)
        {
            Pass(0.1, (A, 10_000_000));
            _turns.Sent(1_000_000, _now);
        }

        Enters(B).ShouldBeFalse();
    }

    [Fact]
    public void Without_a_limit_the_best_rate_seen_lately_is_the_capacity()
    {
        _limit = null;
        Enters(A).ShouldBeTrue();
        Pass(2, (A, 100_000_000));
        Enters(B).ShouldBeFalse("100 MB/s is the best that was ever seen");
        Pass(1, (A, 50_000_000));
        Enters(B).ShouldBeTrue("50 MB/s leaves half of it");
    }

    [Fact]
    public void Without_a_limit_a_fast_moment_long_ago_counts_less_and_less()
    {
        _limit = null;
        Enters(A).ShouldBeTrue();
        Pass(2, (A, 100_000_000));
        Leaves(A);
        _now += TimeSpan.FromMinutes(5);
        Enters(B).ShouldBeTrue();
        Pass(2, (B, 15_000_000));
        Enters(C).ShouldBeFalse();
    }

    [Fact]
    public void Without_a_limit_an_uplink_is_taken_for_100_Mbit_at_least()
    {
        _limit = null;
        Enters(A).ShouldBeTrue();
        Pass(2, (A, 9_000_000));
        Enters(B).ShouldBeTrue();
    }

    [Fact]
    public void A_limit_that_is_raised_counts_at_once()
    {
        Enters(A).ShouldBeTrue();
        Pass(1, (A, 20_000_000));
        Enters(B).ShouldBeFalse();
        _limit = new ByteRate(40_000_000);
        Enters(B).ShouldBeTrue();
    }

    [Fact]
    public void Turns_that_are_over_are_forgotten()
    {
        for (var i = 0; i < 1000; i++)
        {
            _turns.TryAcquire(A, Named(i), _now).ShouldBeTrue();
            _turns.Release(A, Named(i), _now);
        }

        _turns.Count.ShouldBe(1000);
        _now += TimeSpan.FromSeconds(1);
        Enters(B);
        _turns.Count.ShouldBe(1);
    }

    [Fact]
    public void A_request_that_was_refused_has_nothing_to_leave()
    {
        Enters(A).ShouldBeTrue();
        Enters(B).ShouldBeFalse();
        Leaves(B);
        Leaves(A);
        Leaves(A);
        _turns.Count.ShouldBe(1);
    }

    private static Fingerprint Named(int number) => new(new Hash256([.. new byte[28], .. BitConverter.GetBytes(number)]));

    private bool Enters(NodeId node) => _turns.TryAcquire(node, Content, _now);

    private void Leaves(NodeId node) => _turns.Release(node, Content, _now);

    /// <summary>Time passes, and each of these is sent so many bytes per second of the content.</summary>
    private void Pass(double seconds, params (NodeId Node, int Rate)[] sent)
    {
        const int StepMilliseconds = 10;
        for (var i = 0; i < seconds * 1000 / StepMilliseconds; i++)
        {
            _now += TimeSpan.FromMilliseconds(StepMilliseconds);
            foreach (var (node, rate) in sent.Where(one => one.Rate > 0))
            {
                _turns.Sent(node, Content, rate * StepMilliseconds / 1000, _now);
            }
        }
    }
}

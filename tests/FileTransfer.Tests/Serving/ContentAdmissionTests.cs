using FileTransfer.Bandwidth;
using FileTransfer.Identity;
using FileTransfer.Serving;

namespace FileTransfer.Tests.Serving;

public sealed class ContentAdmissionTests
{
    private const int WindowBytes = 4 * 1024 * 1024;

    private static readonly Fingerprint Content = Named(1);
    private const string A = "a";
    private const string B = "b";
    private const string C = "c";

    private readonly ContentAdmission _admission;
    private ByteRate? _limit = new ByteRate(20_000_000);
    private TimeSpan _now = TimeSpan.FromHours(1);

    public ContentAdmissionTests() => _admission = new ContentAdmission(() => _limit);

    [Fact]
    public void A_window_is_sent_to_one_node_at_a_time_and_others_are_sent_other_windows()
    {
        Asks(A, 0).ShouldNotBeNull();
        Asks(B, 0).ShouldBeNull();
        Asks(B, 1).ShouldNotBeNull();
        Asks(C, 0, last: 4).ShouldBeNull("some of it is sent to others");
        Asks(C, 2, last: 4).ShouldNotBeNull();
    }

    [Fact]
    public void Other_contents_are_sent_meanwhile()
    {
        Asks(A, 0).ShouldNotBeNull();
        _admission.TryAcquire(B, Named(2), Window(0), _now).ShouldNotBeNull();
    }

    [Fact]
    public void While_a_window_uses_the_uplink_it_is_sent_to_nobody_else_however_long_it_takes()
    {
        var a = Asks(A, 0);
        for (var i = 0; i < 600; i++)
        {
            Pass(0.1, (a, 20_000_000));
            Asks(B, 0).ShouldBeNull($"after {i} steps");
        }
    }

    [Fact]
    public void A_full_uplink_is_shared_by_eight_nodes_at_most()
    {
        for (var i = 0; i < ContentAdmission.NodesAtOnce; i++)
        {
            Asks($"n{i}", i).ShouldNotBeNull();
        }

        Asks(A, 100).ShouldBeNull();
        Asks("n0", 100).ShouldNotBeNull("it is one of them");
    }

    [Fact]
    public void A_window_that_was_sent_is_not_sent_again_from_a_full_uplink_for_ten_seconds()
    {
        Pass(1, (Sends(A, 0), 20_000_000));
        var other = Asks(C, 1);
        for (var i = 0; i < 18; i++)
        {
            Asks(B, 0).ShouldBeNull($"after {i} steps: A passes it on");
            Pass(0.5, (other, 20_000_000));
        }

        Leaves(Asks(A, 0), isPassedOn: false);
        Pass(1.1, (other, 20_000_000));
        Asks(B, 0).ShouldNotBeNull();
    }

    [Fact]
    public void A_window_that_was_sent_is_sent_again_when_there_is_bandwidth_to_spare_or_who_sent_it_has_only_parts()
    {
        Sends(A, 0);
        Pass(1.1);
        Asks(B, 0).ShouldNotBeNull();

        Leaves(Asks(A, 1), isPassedOn: false);
        var other = Asks(C, 2);
        Pass(1, (other, 20_000_000));
        Asks(B, 1).ShouldNotBeNull();
    }

    [Fact]
    public void Hashes_are_sent_to_one_node_at_a_time_and_before_windows()
    {
        var a = AsksHashes(A);
        AsksHashes(B).ShouldBeNull();
        Asks(B, 0).ShouldBeNull();
        Asks(A, 0).ShouldNotBeNull();

        Pass(0.05, (a, 20_000_000));
        Leaves(a);
        _now += ContentAdmission.BetweenHashes / 2;
        AsksHashes(B).ShouldBeNull("A has not asked for the rest yet");
        Leaves(AsksHashes(A, isEnd: true));
        AsksHashes(B).ShouldNotBeNull();
    }

    [Fact]
    public void Who_does_not_ask_for_the_rest_of_the_hashes_is_not_waited_for()
    {
        Leaves(AsksHashes(A));
        _now += ContentAdmission.BetweenHashes;
        AsksHashes(B).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    [InlineData(12_000_000)]
    public void A_slow_asker_keeps_others_out_for_a_second_at_most(int rate)
    {
        var a = Asks(A, 0);
        Pass(1.05, (a, rate));
        var b = Asks(B, 0).ShouldNotBeNull();
        Asks(C, 0).ShouldBeNull("B has just begun");
        Pass(1.05, (a, rate), (b, 1_000));
        Asks(C, 0).ShouldNotBeNull();
    }

    [Fact]
    public void A_slow_asker_keeps_nobody_out_while_other_contents_fill_the_uplink()
    {
        var other = _admission.TryAcquire(C, Named(2), Window(0), _now);
        var (hashes, window) = (AsksHashes(A), Asks(A, 0));
        Pass(1.6, (hashes, 1_000), (window, 1_000), (other, 20_000_000));
        Asks(B, 0).ShouldNotBeNull();
    }

    [Fact]
    public void A_request_whose_first_bytes_come_late_is_young_from_then_on()
    {
        var a = Asks(A, 0);
        Pass(0.3);
        Pass(0.4, (a, 20_000_000));
        Asks(B, 0).ShouldBeNull();
        Pass(0.4, (a, 20_000_000));
        Asks(B, 0).ShouldBeNull("by now it is seen that A uses everything");
    }

    [Fact]
    public void A_hiccup_of_its_reader_does_not_let_another_in()
    {
        var a = Asks(A, 0);
        Pass(1, (a, 20_000_000));
        Pass(0.15);
        Asks(B, 0).ShouldBeNull();
    }

    [Fact]
    public void Bytes_for_those_who_need_no_permit_use_the_uplink_too()
    {
        var a = Asks(A, 0);
        Pass(2, (a, 10_000_000), (null, 10_000_000));
        Asks(B, 0).ShouldBeNull();
    }

    [Fact]
    public void Without_a_limit_the_best_rate_seen_lately_is_the_capacity()
    {
        _limit = null;
        var a = Asks(A, 0);
        Pass(2, (a, 100_000_000));
        Asks(B, 0).ShouldBeNull("100 MB/s is the best that was ever seen");
        Pass(1, (a, 50_000_000));
        Asks(B, 0).ShouldNotBeNull("50 MB/s leaves half of it");
    }

    [Fact]
    public void Without_a_limit_a_fast_moment_long_ago_counts_less_and_less()
    {
        _limit = null;
        Pass(2, (Sends(A, 0), 100_000_000));
        _now += TimeSpan.FromMinutes(5);
        var b = Asks(B, 0);
        Pass(2, (b, 15_000_000));
        Asks(C, 0).ShouldBeNull();
    }

    [Fact]
    public void Without_a_limit_an_uplink_is_taken_for_100_Mbit_at_least()
    {
        _limit = null;
        var a = Asks(A, 0);
        Pass(2, (a, 9_000_000));
        Asks(B, 0).ShouldNotBeNull();
    }

    [Fact]
    public void A_limit_that_is_raised_counts_at_once()
    {
        var a = Asks(A, 0);
        Pass(1, (a, 20_000_000));
        Asks(B, 0).ShouldBeNull();
        _limit = new ByteRate(40_000_000);
        Asks(B, 0).ShouldNotBeNull();
    }

    [Fact]
    public void Requests_that_have_ended_are_forgotten()
    {
        for (var i = 0; i < 1000; i++)
        {
            Leaves(_admission.TryAcquire(A, Named(i), Window(0), _now));
        }

        Asks(B, 1);
        _admission.Count.ShouldBe(1);
    }

    [Fact]
    public void A_part_is_of_the_windows_that_it_lies_in_whatever_its_form()
    {
        const long size = 10L * WindowBytes;
        ContentPart.OfContent(0, WindowBytes, size, size).ShouldBe(new ContentPart(0, 0, IsHashes: false, IsEnd: false));
        ContentPart.OfContent(WindowBytes - 1, 2, size, size).ShouldBe(new ContentPart(0, 1, IsHashes: false, IsEnd: false));
        const long framed = size / 1024 * 1032;
        ContentPart.OfContent(framed / 2, framed / 2, framed, size).ShouldBe(new ContentPart(5, 9, IsHashes: false, IsEnd: true));
    }

    private static Fingerprint Named(int number) => new(new Hash256([.. new byte[28], .. BitConverter.GetBytes(number)]));

    private static ContentPart Window(int first, int? last = null) => new(first, last ?? first, IsHashes: false, IsEnd: false);

    private ContentPermit? Asks(string node, int first, int? last = null) =>
        _admission.TryAcquire(node, Content, Window(first, last), _now);

    private ContentPermit? AsksHashes(string node, bool isEnd = false) =>
        _admission.TryAcquire(node, Content, ContentPart.OfHashes(isEnd), _now);

    /// <summary>A node is sent a window, all of it.</summary>
    private ContentPermit Sends(string node, int window)
    {
        var permit = Asks(node, window).ShouldNotBeNull();
        Leaves(permit);
        return permit;
    }

    private void Leaves(ContentPermit? permit, bool isPassedOn = true) =>
        _admission.Release(permit.ShouldNotBeNull(), isPassedOn, _now);

    /// <summary>Time passes, and so many bytes per second are sent for each of these.</summary>
    private void Pass(double seconds, params (ContentPermit? Permit, int Rate)[] sent)
    {
        const int StepMilliseconds = 10;
        for (var i = 0; i < seconds * 1000 / StepMilliseconds; i++)
        {
            _now += TimeSpan.FromMilliseconds(StepMilliseconds);
            foreach (var (permit, rate) in sent.Where(one => one.Rate > 0))
            {
                _admission.Sent(permit, rate * StepMilliseconds / 1000, _now);
            }
        }
    }
}

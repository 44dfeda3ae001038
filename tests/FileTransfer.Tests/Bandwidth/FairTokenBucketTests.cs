using FileTransfer.Bandwidth;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Bandwidth;

public sealed class FairTokenBucketTests : IDisposable
{
    private const int Piece = 64 * 1024;

    private readonly FakeTimeProvider _time = new();
    private readonly FairTokenBucket _gate;
    private readonly RateFlow _flow = new();

    public FairTokenBucketTests() => _gate = new FairTokenBucket(_time);

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task Without_a_rate_everything_passes_at_once_and_nothing_is_allocated()
    {
        (await _gate.AcquireAsync(_flow, int.MaxValue, default)).ShouldBe(int.MaxValue);

        // A collection meanwhile counts the rest of this thread's allocation buffer: some round must pass without one.
        var allocated = long.MaxValue;
        for (var round = 0; round < 10 && allocated != 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10_000; i++)
            {
                await _gate.AcquireAsync(_flow, Piece, default);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        allocated.ShouldBe(0);
    }

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(1_000_000)]
    [InlineData(20_000_000)]
    [InlineData(500_000_000)]
    public void A_rate_holds_within_3_percent_over_three_seconds(long rate)
    {
        _gate.Rate = new ByteRate(rate);
        var flow = new Taker(_gate, Piece);
        for (var i = 0; i < 3000; i++)
        {
            flow.TakeAll();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        flow.Bytes.ShouldBeInRange((long)(3 * rate * 0.97), (long)(3 * rate * 1.03) + 1024);
    }

    [Fact]
    public void A_late_timer_costs_nothing()
    {
        _gate.Rate = new ByteRate(20_000_000);
        var flow = new Taker(_gate, Piece);
        for (var i = 0; i < 30; i++)
        {
            // Nobody takes for 100 ms, although some was waited for.
            flow.TakeAll();
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        flow.TakeAll();
        flow.Bytes.ShouldBeInRange(58_000_000, 62_000_000);
    }

    [Fact]
    public void What_nobody_asked_for_is_not_saved_up()
    {
        _gate.Rate = new ByteRate(10_000_000);
        _time.Advance(TimeSpan.FromMinutes(10));
        var flow = new Taker(_gate, Piece);
        flow.TakeAll();

        flow.Bytes.ShouldBeLessThan(700_000);
    }

    [Fact]
    public void Flows_have_the_same_whatever_the_number_of_their_takers_and_the_size_of_their_pieces()
    {
        _gate.Rate = new ByteRate(20_000_000);
        var one = new RateFlow();
        var many = new RateFlow();
        Taker[] takers =
        [
            new(_gate, 4096, one),
            new(_gate, 128 * 1024, many),
            new(_gate, 128 * 1024, many),
            new(_gate, 128 * 1024, many),
            new(_gate, 128 * 1024, many),
        ];
        for (var i = 0; i < 30_000; i++)
        {
            Array.ForEach(takers, taker => taker.TakeAll());
            _time.Advance(TimeSpan.FromMilliseconds(0.1));
        }

        var ofMany = takers[1..].Sum(taker => taker.Bytes);
        ((double)takers[0].Bytes / ofMany).ShouldBeInRange(0.95, 1.05);
        (takers[0].Bytes + ofMany).ShouldBeInRange(58_000_000, 62_000_000);
    }

    [Fact]
    public void A_flow_that_took_nothing_for_long_has_nothing_to_catch_up()
    {
        _gate.Rate = new ByteRate(10_000_000);
        var early = new Taker(_gate, Piece);
        var late = new Taker(_gate, Piece);
        Pass(5, early);
        var before = early.Bytes;
        Pass(2, early, late);

        ((double)(early.Bytes - before) / late.Bytes).ShouldBeInRange(0.9, 1.1);
    }

    [Fact]
    public async Task A_rate_that_is_raised_or_taken_away_frees_those_who_wait()
    {
        _gate.Rate = new ByteRate(1024);
        var first = Take(1024);
        first.IsCompleted.ShouldBeTrue();
        var second = Take(1024);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        second.IsCompleted.ShouldBeFalse();

        _gate.Rate = new ByteRate(1024 * 1024);
        _time.Advance(TimeSpan.FromMilliseconds(2));
        second.IsCompleted.ShouldBeTrue();
        await Take(Piece);
        var third = Take(Piece);
        third.IsCompleted.ShouldBeFalse();

        _gate.Rate = null;
        (await third).ShouldBe(Piece);
    }

    [Fact]
    public void A_rate_that_is_lowered_counts_at_once()
    {
        _gate.Rate = new ByteRate(100_000_000);
        var flow = new Taker(_gate, Piece);
        Pass(1, flow);
        var before = flow.Bytes;
        _gate.Rate = new ByteRate(1_000_000);
        Pass(1, flow);

        (flow.Bytes - before).ShouldBeInRange(900_000, 1_150_000);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_the_next_does_not_pay_for_it()
    {
        _gate.Rate = new ByteRate(100 * 1024);
        Take(1024 * 1024).IsCompleted.ShouldBeTrue();
        using var cancel = new CancellationTokenSource();
        var waits = _gate.AcquireAsync(_flow, Piece, cancel.Token).AsTask();
        var next = _gate.AcquireAsync(new RateFlow(), 1024, default).AsTask();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waits);
        next.IsCompleted.ShouldBeFalse();

        _time.Advance(TimeSpan.FromMilliseconds(60));
        next.IsCompleted.ShouldBeTrue();
        await Should.ThrowAsync<OperationCanceledException>(async () => await _gate.AcquireAsync(_flow, 1, cancel.Token));
    }

    [Fact]
    public void Four_takers_at_once_get_the_rate_within_3_percent_in_equal_parts()
    {
        _gate.Rate = new ByteRate(20_000_000);
        Taker[] takers = [.. Enumerable.Range(0, 4).Select(_ => new Taker(_gate, Piece))];

        Pass(seconds: 3, takers);

        var parts = takers.Select(taker => taker.Bytes).ToList();
        ((double)parts.Sum()).ShouldBeInRange(0.97 * 60_000_000, 1.03 * 60_000_000);
        parts.Min().ShouldBeGreaterThan(parts.Max() * 9 / 10);
    }

    private Task<int> Take(int most) => _gate.AcquireAsync(_flow, most, default).AsTask();

    private void Pass(double seconds, params Taker[] takers)
    {
        for (var i = 0; i < seconds * 1000; i++)
        {
            Array.ForEach(takers, taker => taker.TakeAll());
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Always has one take under way.</summary>
    private sealed class Taker(FairTokenBucket gate, int piece, RateFlow? flow = null)
    {
        private readonly RateFlow _flow = flow ?? new RateFlow();
        private Task<int>? _take;

        public long Bytes { get; private set; }

        public void TakeAll()
        {
            while (true)
            {
                _take ??= gate.AcquireAsync(_flow, piece, default).AsTask();
                if (!_take.IsCompleted)
                {
                    return;
                }

                Bytes += _take.Result;
                _take = null;
            }
        }
    }
}

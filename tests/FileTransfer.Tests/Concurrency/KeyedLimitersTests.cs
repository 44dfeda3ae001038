using System.Threading.RateLimiting;
using FileTransfer.Concurrency;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Concurrency;

public sealed class KeyedLimitersTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Each_key_has_a_limit_of_its_own()
    {
        var limiters = Of(() => new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = 1, QueueLimit = 0 }));
        using var first = limiters.TryAcquire("a");
        first.IsAcquired.ShouldBeTrue();
        limiters.TryAcquire("a").IsAcquired.ShouldBeFalse();
        limiters.TryAcquire("b").IsAcquired.ShouldBeTrue();

        first.Dispose();
        limiters.TryAcquire("a").IsAcquired.ShouldBeTrue();
    }

    [Fact]
    public void A_limit_is_forgotten_when_nobody_has_a_part_of_it_and_not_before()
    {
        var limiters = Of(() => new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = 1, QueueLimit = 0 }));
        using var held = limiters.TryAcquire("held");
        limiters.TryAcquire("given back").Dispose();
        _time.Advance(TimeSpan.FromSeconds(20));

        limiters.TryAcquire("held").IsAcquired.ShouldBeFalse();
        limiters.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_comes_back_with_time_comes_back_for_who_asks_and_is_forgotten_when_it_is_whole()
    {
        var limiters = Of(() =>
            new TokenBucketRateLimiter(
                new TokenBucketRateLimiterOptions
                {
                    TokenLimit = 1,
                    TokensPerPeriod = 1,
                    ReplenishmentPeriod = TimeSpan.FromMilliseconds(1),
                    AutoReplenishment = false,
                }
            )
        );
        limiters.TryAcquire("a").IsAcquired.ShouldBeTrue();
        await Eventually.HoldsAsync(() => limiters.TryAcquire("a").IsAcquired, () => "a token came back");
        limiters.TryAcquire("b").IsAcquired.ShouldBeTrue();
        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(20));
                limiters.TryAcquire("c");
                return limiters.Count == 1;
            },
            () => "both are whole again"
        );
    }

    private KeyedLimiters<string> Of(Func<RateLimiter> create) => new(_ => create(), _time);
}

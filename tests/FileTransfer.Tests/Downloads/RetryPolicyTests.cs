using FileTransfer.Downloads;
using Microsoft.Extensions.Options;

namespace FileTransfer.Tests.Downloads;

public sealed class RetryPolicyTests
{
    private static readonly DownloadOptions _options = new()
    {
        BackoffBase = TimeSpan.FromSeconds(1),
        BackoffCap = TimeSpan.FromSeconds(20),
        MaxAttempts = 4,
    };

    [Fact]
    public void A_pause_is_drawn_evenly_below_a_bound_that_doubles_up_to_the_cap()
    {
        var policy = new RetryPolicy(Options.Create(_options), new Random(7));
        foreach (var (failures, bound) in new[] { (1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 20.0), (1000, 20.0) })
        {
            var pauses = Enumerable.Range(0, 2000).Select(_ => policy.NextDelay(failures).TotalSeconds).ToList();
            pauses.ShouldAllBe(pause => pause >= 0 && pause < bound);
            pauses.Average().ShouldBe(bound / 2, tolerance: bound * 0.05);
            pauses.Min().ShouldBeLessThan(bound * 0.05);
        }
    }

    [Fact]
    public void Attempts_are_spent_at_the_last_one()
    {
        var policy = new RetryPolicy(Options.Create(_options), new Random(7));
        policy.IsSpent(3).ShouldBeFalse();
        policy.IsSpent(4).ShouldBeTrue();
    }
}

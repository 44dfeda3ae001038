using FileTransfer.Feed.Push;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class FollowersCheck(Shipper shipper, IOptions<ShippingOptions> options, TimeProvider time) : LocalCheck
    {
        protected override Finding Find()
        {
            var followers = shipper.Followers.ToList();
            var troubled = followers
                .Select(follower => (follower.Row, follower.Trouble))
                .Where(one => one.Trouble is { } trouble && time.GetElapsedTime(trouble.Timestamp) >= options.Value.WarnAfter)
                .OrderBy(one => one.Trouble!.Timestamp)
                .ToList();
            return troubled is [var (row, trouble), ..]
                ? Finding.Degraded(
                    $"{troubled.Count} of {followers.Count} followers do not get what follows; '{row.Name}' at {row.Url} {trouble!.Reason}",
                    trouble.Since
                )
                : Finding.Healthy(followers.Count == 0 ? "this node ships to nobody" : "followers are shipped to");
        }
    }
}

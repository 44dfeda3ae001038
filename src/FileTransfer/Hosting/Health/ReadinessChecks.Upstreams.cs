using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class UpstreamsCheck(UpstreamPuller puller, UpstreamSummary summary) : ReadinessCheck
    {
        protected override async ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            if (puller.Upstreams.Count == 0)
            {
                return Finding.Healthy("no upstream is configured");
            }

            if (puller.Upstreams.FirstOrDefault(upstream => upstream.Fault is not null) is { Fault: { } fault } at)
            {
                return Finding.Degraded(
                    $"upstream '{at.Options.Name}' at {at.Client.Url} cannot be pulled: {fault.Reason}",
                    fault.Since
                );
            }

            if (puller.Upstreams.FirstOrDefault(upstream => upstream.Standing.Count > 0) is { } halting)
            {
                var (bin, why) = halting.Standing.MinBy(standing => standing.Key);
                return Finding.Degraded(
                    $"upstream '{halting.Options.Name}' at {halting.Client.Url} cannot be pulled in {halting.Standing.Count} of its bins; bin {bin}: {why.Reason}",
                    why.Since
                );
            }

            if (puller.Upstreams.FirstOrDefault(upstream => upstream.Differing.Count > 0) is { } other)
            {
                return Finding.Degraded(
                    $"upstream '{other.Options.Name}' at {other.Client.Url} has other files than this cluster has of it, though all of its feed is applied, in bins {string.Join(", ", other.Differing)}"
                );
            }

            var kept = (await summary.KeptAsync(cancellationToken)).FirstOrDefault(one => one.Count > 0);
            return kept is { Upstream: { } name }
                ? Finding.Degraded(
                    $"upstream '{name}' does not have {kept.Count} files any more that are kept here: 'filetransfer sync kept {name}' lists them, 'sync accept {name}' removes them, 'sync keep {name}' makes them this cluster's own"
                )
                : Finding.Healthy("nothing keeps the upstreams from being pulled");
        }
    }
}

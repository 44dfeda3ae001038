using FileTransfer.Downloads;

namespace FileTransfer.Hosting.Health;

/// <content>Where the bytes come from.</content>
internal static partial class ReadinessChecks
{
    private sealed class SourcesCheck(DownloadEngine transfers, TimeProvider time) : ReadinessCheck
    {
        protected override ValueTask<Finding> FindAsync(CancellationToken cancellationToken)
        {
            var shunned = transfers.Standings().Where(source => source.IsShunned).ToList();
            if (shunned is not [var first, ..])
            {
                return ValueTask.FromResult(Finding.Healthy("no source is shunned"));
            }

            var others = shunned.Count > 1 ? $", and {shunned.Count - 1} more are" : "";
            var left = first.AskedAgainIn is { } rest ? $", for {rest.TotalSeconds:0} s more" : "";
            return ValueTask.FromResult(
                Finding.Degraded(
                    $"{first.Id} is asked last{left}{others}: it sent wrong bytes of {first.BlamedFiles} files, the last time: "
                        + $"{first.Reason?.TrimEnd('.')}. See GET /v1/sources",
                    time.GetUtcNow() - first.For
                )
            );
        }
    }
}

using FileTransfer.Downloads;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class SourcesCheck(DownloadEngine engine, TimeProvider time) : LocalCheck
    {
        protected override Finding Find()
        {
            var demoted = engine.Diagnostics().Where(source => source.IsDemoted).ToList();
            if (demoted is not [var first, ..])
            {
                return Finding.Healthy("no source is demoted");
            }

            var others = demoted.Count > 1 ? $", and {demoted.Count - 1} more are" : "";
            var left = first.AskedAgainIn is { } rest ? $", for {rest.TotalSeconds:0} s more" : "";
            return Finding.Degraded(
                $"{first.Id} is asked last{left}{others}: it sent wrong bytes of {first.Strikes} files, the last time: "
                    + $"{first.Reason?.TrimEnd('.')}. See GET /v1/sources",
                time.GetUtcNow() - first.For
            );
        }
    }
}

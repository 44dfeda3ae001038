namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class CertificatesCheck(CertificateFiles certificates, TimeProvider time) : LocalCheck
    {
        /// <summary>As the alert has it.</summary>
        private static readonly TimeSpan _soon = TimeSpan.FromDays(7);

        protected override Finding Find()
        {
            var faults = certificates
                .All.Select(one =>
                    one.Certificate.NotAfter.ToUniversalTime() is var end && end - time.GetUtcNow().UtcDateTime < _soon
                        ? $"{one.Name} expires at {end:u}; write a new one into its files"
                    : one.Fault is { } fault ? $"{one.Name} has changed and cannot be read, so the one before is in use: {fault}"
                    : null
                )
                .OfType<string>()
                .ToList();
            return faults.Count == 0
                ? Finding.Healthy("no certificate of this node expires within seven days")
                : Finding.Degraded(string.Join("; ", faults));
        }
    }
}

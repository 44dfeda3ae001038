using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Doctor;

/// <summary>All checks, one after the other: this machine first, then what is built upon it.</summary>
/// <param name="nodes">Asked once each, without patience.</param>
/// <param name="time">By which it is measured.</param>
/// <param name="tell">Told of each check when it is made.</param>
/// <param name="cancellationToken">Ends it; what it has put is removed all the same.</param>
internal sealed class Examination(NodeSet nodes, TimeProvider time, Action<Finding> tell, CancellationToken cancellationToken)
{
    /// <param name="settings">Settings as <c>serve</c> takes them.</param>
    /// <param name="peers">Names of nodes, or <c>all</c>.</param>
    /// <param name="probes">Whether a file is put.</param>
    /// <returns>The worst that was found.</returns>
    public async Task<FindingLevel> RunAsync(IReadOnlyList<string> settings, IReadOnlyList<string> peers, bool probes)
    {
        var findings = new Findings(tell, cancellationToken);
        var clocks = new Clocks(time);
        await new LocalChecks(findings, clocks, time, cancellationToken).RunAsync(settings);
        await new NodeChecks(nodes, findings, clocks, time, cancellationToken).RunAsync(peers, probes);
        await findings.CheckAsync("clock", clocks.Look);
        return findings.Worst;
    }
}

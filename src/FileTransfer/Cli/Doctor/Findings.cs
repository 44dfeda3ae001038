using FileTransfer.Chunks.Durability;
using FileTransfer.Cli.Client;

namespace FileTransfer.Cli.Doctor;

/// <summary>Tells of each check as soon as it is made, and keeps the worst of what was found. A check that fails keeps nobody from the next.</summary>
internal sealed class Findings(Action<Finding> tell, CancellationToken cancellationToken)
{
    public FindingLevel Worst { get; private set; }

    /// <returns>Whether it went well enough for what builds upon it.</returns>
    public async Task<bool> CheckAsync(string check, Func<Task<Finding>> look)
    {
        var found = await LookAsync(look);
        Worst = found.Level > Worst ? found.Level : Worst;
        tell(found with { Check = check });
        return found.Level is FindingLevel.Ok or FindingLevel.Warning;
    }

    public Task<bool> CheckAsync(string check, Func<Finding> look) => CheckAsync(check, () => Task.FromResult(look()));

    public void Skip(string why, params ReadOnlySpan<string> checks)
    {
        foreach (var check in checks)
        {
            tell(Finding.Skipped(why) with { Check = check });
        }
    }

    private async Task<Finding> LookAsync(Func<Task<Finding>> look)
    {
        try
        {
            return await look();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception fault)
        {
            return FindingOf(fault);
        }
    }

    private static Finding FindingOf(Exception fault) =>
        fault switch
        {
            NodeUnreachableException => Finding.Critical(fault.Message, "Start the node, or look at the network and at its URL"),
            IFailure or FatalStartException => Finding.Critical(fault.Message),
            _ when DatabaseReach.IsFailure(fault) => Finding.Critical(
                DatabaseReach.CauseOf(fault),
                "Start the database, or correct ConnectionStrings:Postgres"
            ),
            _ when DiskFault.IsOfDisk(fault) => Finding.Critical(DiskFault.Describe(fault)),
            _ => Finding.Unknown(
                $"the check itself failed: {fault.GetType().Name}: {fault.Message}",
                "Run it again; where it stays so, report it"
            ),
        };
}

namespace FileTransfer.Cli.Output;

/// <summary>What a node says of its health, in words.</summary>
public static class HealthText
{
    /// <summary>The checks that are not healthy, each after a semicolon; empty where all are.</summary>
    public static string IllsOf(HealthAnswer? health) =>
        string.Concat(
            health
                ?.Checks?.Where(check => check.Value.Status != "healthy")
                .Select(check =>
                    $"; {check.Key}: {check.Value.Detail ?? check.Value.Status}"
                    + (check.Value.Since is { } since ? $" (since {since:u})" : "")
                )
                ?? []
        );
}

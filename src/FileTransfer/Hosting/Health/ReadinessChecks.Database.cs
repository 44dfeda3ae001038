using FileTransfer.Downloads;

namespace FileTransfer.Hosting.Health;

internal static partial class ReadinessChecks
{
    private sealed class ConnectionsCheck(LaneAllowance lanes) : LocalCheck
    {
        protected override Finding Find() =>
            lanes.Shortage is { } few
                ? Finding.Degraded(
                    $"{few.Allowed} of {few.Lanes} lanes run: {few.Reason}. Raise max_connections of the server, the role's or the "
                        + "database's CONNECTION LIMIT or Maximum Pool Size, or lower FileTransfer:Downloads:Lanes",
                    few.Since
                )
                : Finding.Healthy("there are enough connections for all lanes");
    }

    private sealed class ClockCheck(Database database) : LocalCheck
    {
        protected override Finding Find() =>
            database.Clock.RecentJump is { } jump
                ? Finding.Degraded(
                    $"the clock of the database jumped {(jump.By > TimeSpan.Zero ? "ahead" : "back")} by "
                        + $"{jump.By.Duration().ToString("c", CultureInfo.InvariantCulture)}; times that were put down before are corrected. "
                        + "See that its server's clock is kept by NTP",
                    jump.NoticedAt
                )
                : Finding.Healthy("the clock of the database goes as time does");
    }
}

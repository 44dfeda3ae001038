namespace FileTransfer.Postgres;

/// <summary>A deadlock is broken by undoing one side, which then tries again.</summary>
internal static class Deadlocks
{
    private const int Tries = 5;

    /// <param name="transaction">Begins a transaction and ends it; what it did is undone where it is run again.</param>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> transaction)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await transaction();
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < Tries) { }
        }
    }
}

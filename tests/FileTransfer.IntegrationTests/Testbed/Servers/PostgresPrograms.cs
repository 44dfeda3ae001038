using FileTransfer.Postgres;
using FileTransfer.Postgres.Embedded;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>PostgreSQL's programs on this machine. Where there are none, or <c>FILETRANSFER_POSTGRES=container</c>, servers run in containers.</summary>
internal static class PostgresPrograms
{
    private static readonly Lazy<Task<bool>> _areHere = new(LookAsync);

    public static Task<bool> AreHereAsync() => _areHere.Value;

    /// <summary>Skips a fact about the programs themselves where there are none.</summary>
    public static async ValueTask NeedAsync() =>
        Assert.SkipUnless(await AreHereAsync(), "PostgreSQL's programs are not on this machine; its servers run in containers.");

    /// <summary>Skips a fact that needs some that not every package of the server brings.</summary>
    public static async ValueTask NeedAsync(params string[] programs)
    {
        await NeedAsync();
        Assert.SkipUnless(
            await HasAsync(programs),
            $"Not all of {string.Join(", ", programs)} are where PostgreSQL's programs are on this machine."
        );
    }

    public static async Task<bool> HasAsync(params string[] programs)
    {
        var binaries = await PostgresBinaries.FindAsync(null, default);
        return Array.TrueForAll(programs, program => File.Exists(Path.Combine(PostgresServer.ProgramsOf(binaries), program)));
    }

    private static async Task<bool> LookAsync()
    {
        if (Environment.GetEnvironmentVariable("FILETRANSFER_POSTGRES") == "container")
        {
            return false;
        }

        try
        {
            await PostgresBinaries.FindAsync(null, default);
            return true;
        }
        catch (FatalStartException)
        {
            return false;
        }
    }
}

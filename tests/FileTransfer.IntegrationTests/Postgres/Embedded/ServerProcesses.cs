using System.Globalization;

namespace FileTransfer.IntegrationTests.Postgres.Embedded;

/// <summary>What the system says of the processes of a server.</summary>
internal static class ServerProcesses
{
    /// <param name="cluster">The folder that the server works in.</param>
    public static List<int> Of(string cluster) =>
        Pids()
            .Where(pid => Name(pid) == "postgres" && Read(() => new FileInfo($"/proc/{pid}/cwd").LinkTarget) == cluster)
            .ToList();

    public static List<int> ChildrenOf(int parent) =>
        Pids()
            .Where(pid =>
                Read(() => File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ')[1])
                == parent.ToString(CultureInfo.InvariantCulture)
            )
            .ToList();

    public static string? Name(int pid) => Read(() => File.ReadAllText($"/proc/{pid}/comm").Trim());

    private static IEnumerable<int> Pids() =>
        Directory
            .GetDirectories("/proc")
            .Select(Path.GetFileName)
            .Where(name => name!.All(char.IsAsciiDigit))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

    private static string? Read(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

using System.Text.RegularExpressions;

namespace FileTransfer.Postgres.Embedded;

internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    private const string DebianFolder = "/usr/lib/postgresql";

    public string Server => Path.Combine(Folder, "postgres");

    public string InitDb => Path.Combine(Folder, "initdb");

    /// <summary><paramref name="clusterMajor"/> made the cluster and alone can run it; null = there is no cluster yet.</summary>
    public static Task<PostgresBinaries> FindAsync(int? clusterMajor, CancellationToken cancellationToken) =>
        FindAsync(clusterMajor, Environment.GetEnvironmentVariable("PATH") ?? "", DebianFolder, cancellationToken);

    /// <summary>The folders of <paramref name="path"/> in order, then <c>*/bin</c> of <paramref name="versionsFolder"/>, newest first.</summary>
    internal static async Task<PostgresBinaries> FindAsync(
        int? clusterMajor,
        string path,
        string versionsFolder,
        CancellationToken cancellationToken
    )
    {
        var found = new List<PostgresBinaries>();
        foreach (var folder in CandidateFolders(path, versionsFolder))
        {
            if (
                File.Exists(Path.Combine(folder, "postgres"))
                && File.Exists(Path.Combine(folder, "initdb"))
                && await MajorAsync(Path.Combine(folder, "postgres"), cancellationToken) is { } major
            )
            {
                found.Add(new PostgresBinaries(folder, major));
            }
        }

        return found.Find(binaries =>
                binaries.Major >= DatabaseCompatibility.OldestServer && binaries.Major == (clusterMajor ?? binaries.Major)
            ) ?? throw NotFound(clusterMajor, found);
    }

    private static IEnumerable<string> CandidateFolders(string path, string versionsFolder)
    {
        var versions = Directory.Exists(versionsFolder) ? Directory.GetDirectories(versionsFolder) : [];
        return path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(
                versions
                    .OrderByDescending(folder =>
                        int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var major) ? major : 0
                    )
                    .Select(folder => Path.Combine(folder, "bin"))
            );
    }

    private static async Task<int?> MajorAsync(string server, CancellationToken cancellationToken)
    {
        var answer = await ChildProcess.RunAsync([server, "--version"], cancellationToken);
        var match = Version().Match(answer.Output);
        return answer.Succeeded && match.Success
            ? int.Parse(match.Groups["major"].ValueSpan, CultureInfo.InvariantCulture)
            : null;
    }

    private static FatalStartException NotFound(int? clusterMajor, List<PostgresBinaries> found)
    {
        const string Or = "or set ConnectionStrings:Postgres to a PostgreSQL server that runs already";
        var unfit =
            found.Count == 0
                ? ""
                : $" Found only: {string.Join(", ", found.Select(binaries => $"{binaries.Major} in {binaries.Folder}"))}.";
        return new FatalStartException(
            clusterMajor is { } major
                ? $"The private database was made by PostgreSQL {major}, whose server programs are not on this machine.{unfit} "
                    + $"Install them (Debian, Ubuntu: apt-get install postgresql-{major}), {Or}."
                : $"No connection string is set, and no PostgreSQL server programs (postgres and initdb, {DatabaseCompatibility.OldestServer} or newer) "
                    + $"are in PATH or {DebianFolder}.{unfit} "
                    + $"Install them (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; Alpine: apk add postgresql), {Or}."
        );
    }

    [GeneratedRegex("\\(PostgreSQL\\) (?<major>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();
}

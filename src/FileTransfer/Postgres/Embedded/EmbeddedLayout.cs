using System.Security.Cryptography;

namespace FileTransfer.Postgres.Embedded;

/// <summary>The paths of a private cluster. All of them follow from its folder, so that they are known before it runs.</summary>
internal sealed class EmbeddedLayout
{
    /// <summary>The superuser, whom the server lets in by its socket alone.</summary>
    public const string Owner = "filetransfer";

    /// <summary>What nodes connect as.</summary>
    public const string Role = "node";

    public const string DatabaseName = "filetransfer";
    public const int SocketPort = 5432;

    // sockaddr_un.sun_path has 108 bytes with the closing zero; the longest socket name is ".s.PGSQL.65535".
    private const int LongestSocketFolder = 107 - 15;

    public EmbeddedLayout(string folder)
    {
        Folder = Path.GetFullPath(folder);
        var inside = Path.Combine(Folder, "socket");
        SocketIsInside =
            inside.Length <= LongestSocketFolder
            && inside.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_');
        SocketFolder = SocketIsInside ? inside : ShortFolder(Folder);
    }

    public string Folder { get; }

    public string Cluster => Path.Combine(Folder, "cluster");

    public string LockFile => Path.Combine(Folder, ".lock");

    public string LogFile => Path.Combine(Folder, "postgres.log");

    public string PasswordFile => Path.Combine(Folder, "password");

    public string PidFile => Path.Combine(Cluster, "postmaster.pid");

    public string SocketFolder { get; }

    public bool SocketIsInside { get; }

    /// <summary>The version that made the cluster; null = there is none.</summary>
    public int? ClusterMajor
    {
        get
        {
            var file = Path.Combine(Cluster, "PG_VERSION");
            return File.Exists(file) ? int.Parse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture) : null;
        }
    }

    public string SocketConnectionString(int port, string database, string role) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = SocketFolder,
            Port = port,
            Username = role,
            Database = database,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    public static string LoopbackConnectionString(int port, string password) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = Role,
            Password = password,
            Database = DatabaseName,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    private static string ShortFolder(string folder)
    {
        var name = "filetransfer-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)).AsSpan(0, 8));
        var temporary = Path.Combine(Path.GetTempPath(), name);
        return temporary.Length <= LongestSocketFolder ? temporary : Path.Combine("/tmp", name);
    }
}

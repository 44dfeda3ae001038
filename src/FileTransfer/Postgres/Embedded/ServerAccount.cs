namespace FileTransfer.Postgres.Embedded;

/// <summary>The user that the private server runs as: this process's own, or another where this process is root, which PostgreSQL refuses to be.</summary>
/// <remarks><c>Prefix</c> is what to put before a command to run it as that user; <c>Uid</c> and <c>Gid</c> are null for this process's own.</remarks>
internal sealed record ServerAccount(string Name, uint? Uid, uint? Gid, IReadOnlyList<string> Prefix)
{
    public bool IsAnother => Uid is not null;

    /// <summary>Chooses the user and makes sure that he can work in <paramref name="folder"/>.</summary>
    public static async Task<ServerAccount> ForAsync(string folder, string cluster, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return new ServerAccount(Environment.UserName, null, null, []);
        }

        var (name, uid, gid) = await ChooseAsync(cluster, cancellationToken);
        string[] user = ["setpriv", $"--reuid={uid}", $"--regid={gid}", "--clear-groups"];
        Posix.Own(folder, uid, gid);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // A folder above may be closed to everyone but root. Only then the server gets the one capability to pass through it.
        string[][] ways =
        [
            [.. user, "--"],
            [.. user, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"],
            [.. user, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--"],
        ];
        var refusals = new List<string>();
        foreach (var way in ways)
        {
            var answer = await ChildProcess.RunAsync(
                [.. way, "sh", "-c", "test -w \"$0\" && test -x \"$0\"", folder],
                cancellationToken
            );
            if (answer.Succeeded)
            {
                return new ServerAccount(name, uid, gid, way);
            }

            refusals.Add(answer.Output);
        }

        throw new FatalStartException(
            $"PostgreSQL does not run as root, and user {name} cannot work in {folder}"
                + $"{string.Concat(refusals.Where(text => text.Length > 0).Distinct().Select(text => $" ({text})"))}. "
                + $"Make the folders above it searchable (chmod o+x), run the service as another user than root, have setpriv (package util-linux) installed, "
                + "or set ConnectionStrings:Postgres to a PostgreSQL server that runs already."
        );
    }

    private static async Task<(string Name, uint Uid, uint Gid)> ChooseAsync(string cluster, CancellationToken cancellationToken)
    {
        var users = (await File.ReadAllLinesAsync("/etc/passwd", cancellationToken))
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length >= 4)
            .Select(fields => (Name: fields[0], Uid: Number(fields[2]), Gid: Number(fields[3])))
            .ToList();
        if (Directory.Exists(cluster) && await Posix.OwnerOfAsync(cluster, cancellationToken) is { Uid: not 0 } owner)
        {
            var known = users.Find(user => user.Uid == owner.Uid);
            return (known.Name ?? owner.Uid.ToString(CultureInfo.InvariantCulture), owner.Uid, owner.Gid);
        }

        foreach (var wanted in (string[])["postgres", "nobody"])
        {
            if (users.Find(user => user.Name == wanted) is { Name: not null, Uid: not 0 } user)
            {
                return user;
            }
        }

        throw new FatalStartException(
            "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody to run it as. "
                + "Add one (useradd --system postgres), run the service as another user than root, or set ConnectionStrings:Postgres."
        );
    }

    private static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
}

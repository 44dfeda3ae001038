using System.CommandLine;
using FileTransfer.Cli.Output;
using FileTransfer.Postgres.Roles;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer database create-role NAME</c></summary>
internal static class DatabaseRoleCommand
{
    public static CliCommand Create()
    {
        var name = new Argument<string>("NAME") { Description = "The role's name, as a rule the node's id." };
        var database = CliOption.Text("--database", "CONNECTION", "The nodes' database, for a role that may make roles.");
        var file = CliOption.Text(
            "--database-file",
            "FILE",
            "A file with that connection string, so that no list of processes shows it."
        );
        var output = CliOption.Text(
            "--output",
            "FILE",
            "Write the connection string there, for this user alone (0600), and not to standard output."
        );
        var limit = CliOption.Number(
            "--connections",
            10_000,
            $"Sessions at most (default {NodeRole.Connections}). A node opens 26 and one for each lane; twice that while it starts again."
        );
        return new CliCommand(
            "create-role",
            "Makes the role that one node connects to its database as, and prints its connection string"
        )
        {
            Notes =
            [
                "It is no superuser, and makes no role, no database and no schema. What is in the schema belongs to the roles of all nodes of this",
                "database. Run again, it gives the role another password; its sessions go on. The role that is given as --database is a superuser, or",
                "one that may make roles and owns the database. docs/database-trust.md says what whoever has the printed string can do.",
            ],
            Examples =
            [
                "filetransfer database create-role node-a --database-file admin --output /etc/filetransfer/database",
                "filetransfer database create-role node-b --database \"Host=/var/lib/filetransfer-db/socket;Port=5433;Username=filetransfer;Database=filetransfer\"",
            ],
            Ends = [ExitCode.Refused, ExitCode.Unreachable],
        }
            .Taking(name, database, file, output, limit)
            .Refusing(result =>
                NodeRole.IsName(result.GetValue(name) ?? "")
                    ? null
                    : $"'{result.GetValue(name)}' is no role's name: write {NodeRole.NameForm}."
            )
            .Refusing(result =>
                (result.GetResult(database) is null) == (result.GetResult(file) is null)
                    ? "Give --database or --database-file."
                    : null
            )
            .Runs(async run =>
            {
                var text = run.Get(database) ?? (await File.ReadAllTextAsync(run.Get(file)!, run.CancellationToken)).Trim();
                var role = run.Get(name);
                var made = await CreateAsync(text, role, run.Given(limit) ?? NodeRole.Connections, run.CancellationToken);
                if (run.Get(output) is not { } path)
                {
                    return run.Show(made, new DatabaseRoleLine(role, made));
                }

                await SecretFile.WriteAsync(path, made, run.CancellationToken);
                return run.Show($"{role}: {path}", new DatabaseRoleLine(role, null));
            });
    }

    private static async Task<string> CreateAsync(string database, string role, int limit, CancellationToken cancellationToken)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(database) { Pooling = false };
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException)
        {
            // Its text may hold a password.
            throw new CliException(
                ExitCode.Usage,
                "That is no connection string. Write Host=…;Database=…;Username=…;Password=….",
                fault
            );
        }

        var password = NodeRole.NewPassword();
        try
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await NodeRole.CreateAsync(connection, role, password, limit, cancellationToken);
            return new NpgsqlConnectionStringBuilder(database)
            {
                Database = connection.Database,
                Username = role,
                Password = password,
                Passfile = null,
            }.ConnectionString;
        }
        catch (PostgresException fault)
        {
            throw new CliException(ExitCode.Refused, $"The role was not made: {fault.MessageText} ({fault.SqlState}).", fault);
        }
        catch (NpgsqlException fault)
        {
            throw new CliException(
                ExitCode.Unreachable,
                $"The database cannot be used: {DatabaseReach.CauseOf(fault)}. Check --database.",
                fault
            );
        }
    }
}

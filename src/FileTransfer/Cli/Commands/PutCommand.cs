using System.CommandLine;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer put PATH…</c></summary>
public static class PutCommand
{
    private const int MaxParallel = 64;

    public static Command Create(CliStreams streams)
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "Files, or folders with --recursive.",
            Arity = ArgumentArity.OneOrMore,
        };
        var location = new Option<string>("--location") { Description = "The location of the one file.", HelpName = "TEXT" };
        var prefix = new Option<string>("--prefix")
        {
            Description = "Put before each location, which is the file's name, or its path in the folder.",
            HelpName = "TEXT",
        };
        var recursive = new Option<bool>("--recursive", "-r")
        {
            Description = "Put folders with everything in them; see the notes.",
        };
        var skipEmpty = new Option<bool>("--skip-empty")
        {
            Description = $"Leave empty files out and still exit with 0; without this, put exits with {(int)ExitCode.LeftOut}.",
        };
        var parallel = new Option<int>("--parallel")
        {
            Description = $"How many files at once, 1 to {MaxParallel}.",
            HelpName = "N",
            DefaultValueFactory = _ => 4,
        };
        parallel.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out var count) && count is > 0 and <= MaxParallel))
            {
                result.AddError($"--parallel is '{token.Value}'. Write a number from 1 to {MaxParallel}.");
            }
        });
        var identity = new IdentityOptions(streams);
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand("put", "Registers files and sends their contents to the leader")
        {
            Notes =
            [
                "Prints a line '0xKEY PATH' for each file that the leader has stored, in the order of completion.",
                "A folder keeps its name: 'put -r photos' puts photos/a.jpg, and 'put -r photos/' puts a.jpg (as with rsync).",
                "Empty files cannot be stored: they have no chunk that proves them. Those in a folder are left out and counted.",
                "Run again after an interruption, put resumes a large file where it stopped, and says so.",
                "A follower names its leader, and put continues there. With several --url, put survives a change of the leader.",
            ],
            Examples =
            [
                "filetransfer put photo.jpg --owner 0x11… --bucket 0x22… --location photos/photo.jpg",
                "filetransfer put --recursive photos --url http://node-a:7070 --url http://node-b:7070",
                "filetransfer put --recursive /srv/holiday/ --prefix photos/2030/",
            ],
            Ends = [ExitCode.Refused, ExitCode.Unreachable, ExitCode.LeftOut, ExitCode.NotProven, ExitCode.Interrupted],
        };
        command.Add(paths);
        identity.AddTo(command);
        foreach (Option option in (Option[])[location, prefix, recursive, skipEmpty, parallel])
        {
            command.Add(option);
        }

        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.Validators.Add(result =>
        {
            if (result.GetResult(location) is null)
            {
                return;
            }

            if (
                result.GetResult(prefix) is not null
                || result.GetResult(paths) is not { Tokens: [var one] }
                || Directory.Exists(one.Value)
            )
            {
                result.AddError("--location is for one file, without --prefix. Use --prefix for several files or a folder.");
            }
        });
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.Connect(parse, console);
                var put = new FilePut(nodes, identity.Owner(parse), identity.Bucket(parse), streams.Time, console.Notice);
                var items = () =>
                    PutItems.Of(
                        parse.GetRequiredValue(paths),
                        parse.GetValue(location),
                        parse.GetValue(prefix) ?? "",
                        parse.GetValue(recursive)
                    );
                return await console.WithProgressAsync(progress =>
                    PutAllAsync(
                        items,
                        put,
                        parse.GetValue(parallel),
                        parse.GetValue(skipEmpty),
                        console,
                        progress,
                        cancellationToken
                    )
                );
            }
        );
        return command;
    }

    private static async Task<ExitCode> PutAllAsync(
        Func<IEnumerable<PutItem>> items,
        FilePut put,
        int parallel,
        bool skipsEmpty,
        CliConsole console,
        TransferProgress progress,
        CancellationToken cancellationToken
    )
    {
        using var whole =
            progress.IsShown && items().Skip(1).Any()
                ? progress.Start("all", items().Sum(item => LocalContent.LengthOf(item.Path)))
                : null;
        var (stored, empty) = (0, 0);
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var end = ExitCode.Ok;
        var ending = new Lock();
        try
        {
            await Parallel.ForEachAsync(
                items(),
                new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = abandon.Token },
                async (item, token) =>
                {
                    try
                    {
                        if (!item.IsNamed && LocalContent.LengthOf(item.Path) == 0)
                        {
                            console.Notice($"{item.Path} is empty and is left out");
                            Interlocked.Increment(ref empty);
                            return;
                        }

                        var line = await put.PutAsync(item, progress, whole, token);
                        console.Result($"{line.Key} {line.Path}", line, () => CliJson.Default.PutLine);
                        Interlocked.Increment(ref stored);
                    }
                    catch (Exception fault)
                        when (fault is CliException or NodeException or IOException or UnauthorizedAccessException)
                    {
                        var code = console.Failure(fault, fault is CliException ? null : item.Path);
                        lock (ending)
                        {
                            end = end.And(code);
                        }

                        // The other files would meet the same end, each after its own patience.
                        if (code is ExitCode.Unreachable or ExitCode.Unavailable or ExitCode.Refused)
                        {
                            await abandon.CancelAsync();
                        }
                    }
                }
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            console.Notice("the other files are not put");
        }
        catch (OperationCanceledException)
        {
            console.Notice(
                $"interrupted: {stored} files are put. What the leader has of the others is kept; the same command goes on with it"
            );
            throw;
        }

        if (empty > 0)
        {
            console.Notice(
                $"{stored} files are put, {empty} are empty and were left out: a content has at least one byte"
                    + (skipsEmpty ? "" : $" (--skip-empty ends with 0 all the same)")
            );
        }

        return end == ExitCode.Ok && empty > 0 && !skipsEmpty ? ExitCode.LeftOut : end;
    }
}

using System.CommandLine;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;

namespace FileTransfer.Cli.Commands;

/// <summary><c>filetransfer retry KEY… | --all [--cause SLUG]</c></summary>
public static class RetryCommand
{
    public static Command Create(CliStreams streams)
    {
        var keys = IdentityOptions.Keys();
        keys.Arity = ArgumentArity.ZeroOrMore;
        var all = new Option<bool>("--all") { Description = "All files of the node whose last attempt failed." };
        var cause = new Option<string?>("--cause")
        {
            Description = $"With --all: only those that failed for this cause: {string.Join(", ", FailureCauses.Slugs)}.",
            HelpName = "CAUSE",
        };
        var connection = new ConnectionOptions(streams);
        var command = new CliCommand(
            "retry",
            "Retries files at a node now: failed ones, and ones that wait after a failed attempt"
        )
        {
            Notes = ["A node also retries them by itself: when a source comes back, and now and then to see what still fails."],
            Examples =
            [
                "filetransfer retry 0x3f… --url http://node-b:7070",
                "filetransfer retry --all --url http://node-b:7070",
                "filetransfer retry --all --cause wrong-bytes --url http://node-b:7070",
            ],
            Ends = [ExitCode.NotFound, ExitCode.Refused, ExitCode.Unreachable],
        };
        command.Add(keys);
        command.Add(all);
        command.Add(cause);
        connection.AddTo(command);
        command.Add(OutputOptions.Json());
        command.Validators.Add(result =>
        {
            var named = result.GetResult(keys)?.Tokens.Count ?? 0;
            var isAll = result.GetValue(all);
            if (isAll == named > 0)
            {
                result.AddError("Give the KEYs of the files to try, or --all.");
            }
            else if (!isAll && result.GetResult(cause) is not null)
            {
                result.AddError("--cause goes with --all.");
            }
            else if (!FailureCauses.TryParse(result.GetValue(cause), out _))
            {
                result.AddError(
                    $"'{result.GetValue(cause)}' is not a cause; give one of {string.Join(", ", FailureCauses.Slugs)}."
                );
            }
        });
        command.SetWork(
            streams,
            async (parse, console, cancellationToken) =>
            {
                using var nodes = connection.ConnectToOne(parse, console);
                if (parse.GetValue(all))
                {
                    var slug = parse.GetValue(cause);
                    var answer = await nodes.RunAsync((node, token) => node.RetryAllAsync(slug, token), cancellationToken);
                    console.Result(
                        $"{answer.Retried} files are tried again at {answer.Node}",
                        answer,
                        () => SparseJson.Default.RetriedResource
                    );
                    return ExitCode.Ok;
                }

                var end = ExitCode.Ok;
                foreach (var key in parse.GetValue(keys) ?? [])
                {
                    try
                    {
                        var state = await nodes.RunAsync((node, token) => node.RetryAsync(key, token), cancellationToken);
                        console.Result($"{key} {state}", new RetryLine(key.ToString(), state), () => CliJson.Default.RetryLine);
                    }
                    catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
                    {
                        end = end.And(console.Failure(fault, key.ToString()));
                    }
                }

                return end;
            }
        );
        return command;
    }
}

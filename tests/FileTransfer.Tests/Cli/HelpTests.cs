using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli;

public sealed class HelpTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_help_names_every_command_and_every_exit_code()
    {
        var result = await _cli.RunAsync("--help");

        result.Code.ShouldBe(ExitCode.Ok);
        foreach (var command in Commands)
        {
            result.Out.ShouldContain($"\n  {command} ");
        }

        foreach (var code in Enum.GetValues<ExitCode>())
        {
            result.Out.ShouldContain($"{(int)code, 3}  {code.Meaning()}\n");
        }
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task The_help_of_a_command_has_examples_and_needs_no_arguments(string command)
    {
        var result = await _cli.RunAsync(command, "--help");

        result.Code.ShouldBe(ExitCode.Ok);
        result.Error.ShouldBeEmpty();
        result.Out.ShouldContain($"Examples:\n  filetransfer {command}");
    }

    [Fact]
    public async Task A_token_of_the_environment_is_never_shown()
    {
        _cli.Environment["FILETRANSFER_TOKEN"] = "very-secret";

        (await _cli.RunAsync("put", "--help")).Out.ShouldNotContain("very-secret");
    }

    [Theory]
    [InlineData]
    [InlineData("sing")]
    public async Task Without_a_command_it_knows_it_ends_with_2(params string[] args)
    {
        var result = await _cli.RunAsync(args);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("filetransfer --help");
    }

    public static string[] Commands =>
        [
            "serve",
            "fingerprint",
            "key",
            "put",
            "get",
            "export",
            "remove",
            "status",
            "fetch",
            "events",
            "explain",
            "policy",
            "limits",
            "missing",
            "orphans",
            "simulate",
            "healthcheck",
            "database",
        ];

    public static TheoryData<string> EveryCommand => new(Commands);
}

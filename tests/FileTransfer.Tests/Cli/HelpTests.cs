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

    [Theory]
    [InlineData("ls", "list")]
    [InlineData("rm", "remove")]
    [InlineData("stat", "status")]
    [InlineData("sing", null)]
    public async Task A_name_that_is_no_command_is_one_line_with_what_may_have_been_meant(string name, string? meant)
    {
        var result = await _cli.RunAsync(name, "--url", "http://127.0.0.1:1");

        result.Code.ShouldBe(ExitCode.Usage);
        result
            .Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldHaveSingleItem()
            .ShouldContain($"'{name}' is not a command");
        result.Error.Contains("did you mean", StringComparison.Ordinal).ShouldBe(meant is not null);
        result.Error.ShouldContain(meant ?? "");
    }

    [Fact]
    public void No_exit_code_means_two_things() => Enum.GetValues<ExitCode>().Select(code => code.Meaning()).ShouldBeUnique();

    public static string[] Commands =>
        [
            "serve",
            "fingerprint",
            "key",
            "put",
            "get",
            "list",
            "export",
            "remove",
            "status",
            "node",
            "fetch",
            "load",
            "loads",
            "adopt",
            "retry",
            "events",
            "explain",
            "policy",
            "limits",
            "scrub",
            "missing",
            "orphans",
            "simulate",
            "healthcheck",
            "doctor",
            "support",
            "completion",
            "database",
            "sync",
            "followers",
            "verify",
        ];

    public static TheoryData<string> EveryCommand => new(Commands);
}

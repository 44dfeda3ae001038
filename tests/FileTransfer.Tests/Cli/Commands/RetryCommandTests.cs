using FileTransfer.Cli;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class RetryCommandTests : IDisposable
{
    private const string Key = "0x1111111111111111111111111111111111111111111111111111111111111111";

    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Theory]
    [InlineData("Give the KEYs of the files to retry, or --all.")]
    [InlineData("Give the KEYs of the files to retry, or --all.", Key, "--all")]
    [InlineData("--cause goes with --all.", Key, "--cause", "refused")]
    [InlineData("'bad-luck' is not a cause; give one of wrong-bytes, refused,", "--all", "--cause", "bad-luck")]
    public async Task What_is_to_be_tried_is_named_in_one_way_and_a_cause_is_one_of_a_list(string says, params string[] arguments)
    {
        var result = await _cli.RunAsync(["retry", .. arguments]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(says);
    }
}

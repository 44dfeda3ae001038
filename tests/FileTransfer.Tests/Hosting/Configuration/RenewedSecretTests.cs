using FileTransfer.Cluster;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Hosting;
using FileTransfer.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Hosting.Configuration;

public sealed class RenewedSecretTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("filetransfer-secrets-").FullName;

    [Fact]
    public async Task A_token_whose_file_changes_is_shown_from_then_on_and_one_that_cannot_be_is_not()
    {
        var (own, upstream) = (Path.Combine(_folder, "own"), Path.Combine(_folder, "upstream"));
        Write(own, "first");
        Write(upstream, "of-up\n");
        await using var app = FileTransferServer.Build(
            [
                $"--FileTransfer:DataDirectory={Path.Combine(_folder, "data")}",
                $"--FileTransfer:NodeTokenFile={own}",
                "--FileTransfer:Sync:Upstreams:0:Name=plain",
                "--FileTransfer:Sync:Upstreams:0:Url=http://plain:7070",
                "--FileTransfer:Sync:Upstreams:0:Token=in-settings",
                "--FileTransfer:Sync:Upstreams:1:Name=up",
                "--FileTransfer:Sync:Upstreams:1:Url=http://up:7070",
                $"--FileTransfer:Sync:Upstreams:1:TokenFile={upstream}",
            ],
            _folder
        );
        var node = app.Services.GetRequiredService<IOptions<NodeOptions>>().Value;
        var upstreams = app.Services.GetRequiredService<IOptions<SyncOptions>>().Value.Upstreams;
        var time = new FakeTimeProvider();
        using var renewed = ActivatorUtilities.CreateInstance<RenewedSecrets>(app.Services, time);
        await renewed.StartAsync(default);

        await BecomesAsync(own, "second\n", () => node.NodeToken == "second");
        await BecomesAsync(upstream, "of-up-later", () => upstreams[1].TokenFor(new Uri("http://up:7070")) == "of-up-later");
        upstreams[0].Token.ShouldBe("in-settings");

        // What comes after is looked at later, so the wrong one has been.
        Write(own, "not a token");
        await BecomesAsync(upstream, "of-up-last", () => upstreams[1].Token == "of-up-last");
        node.NodeToken.ShouldBe("second");
        Write(own, "");
        await BecomesAsync(upstream, "of-up-again", () => upstreams[1].Token == "of-up-again");
        node.NodeToken.ShouldBe("second");
        await BecomesAsync(own, "third", () => node.NodeToken == "third");
        await renewed.StopAsync(default);

        async Task BecomesAsync(string path, string secret, Func<bool> isShown)
        {
            Write(path, secret);
            await Eventually.HoldsAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(5));
                    return isShown();
                },
                () => $"{path} is read again"
            );
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Write(string path, string secret)
    {
        File.WriteAllText(path + ".new", secret);
        File.Move(path + ".new", path, overwrite: true);
    }
}

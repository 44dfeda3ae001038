using FileTransfer.Hosting.Configuration;
using FileTransfer.Hosting.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Hosting.Requests;

public sealed class TransferWatchTests
{
    /// <summary>More than all buffers between a server and its reader hold.</summary>
    private static readonly byte[] _content = new byte[32 * 1024 * 1024];

    [Fact]
    public async Task Of_more_readers_than_may_pause_one_is_ended_and_the_others_get_the_rest()
    {
        var time = new FakeTimeProvider();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MinResponseDataRate = null);
        await using var app = builder.Build();
        var limits = new ServerOptions { Serving = { PausedReaders = 1, PauseTimeout = TimeSpan.MaxValue } };
        var logger = NullLogger<TransferWatch>.Instance;
        using var watch = new TransferWatch(app.Lifetime, Options.Create(limits), time, logger);
        var isEnded = false;
        app.Use((context, next) => watch.InvokeAsync(context, next));
        app.MapGet(
            "/",
            async context =>
            {
                context.Response.ContentLength = _content.Length;
                try
                {
                    await context.Response.BodyWriter.WriteAsync(_content);
                }
                finally
                {
                    // Nobody reads: before its time it ends only if it is ended.
                    Volatile.Write(ref isEnded, true);
                }
            }
        );
        await app.StartAsync();
        await watch.StartAsync(default);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var first = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        using var second = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);

        SpinWait
            .SpinUntil(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    return Volatile.Read(ref isEnded);
                },
                TimeSpan.FromSeconds(20)
            )
            .ShouldBeTrue();

        bool[] got = [await GetsAllAsync(first), await GetsAllAsync(second)];
        got.ShouldBe([true, false], ignoreOrder: true);
        await watch.StopAsync(default);
    }

    private static async Task<bool> GetsAllAsync(HttpResponseMessage answer)
    {
        try
        {
            return (await answer.Content.ReadAsByteArrayAsync()).Length == _content.Length;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

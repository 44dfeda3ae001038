using System.Net;
using FileTransfer.Hosting.Access;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FileTransfer.Tests.Hosting.Access;

public sealed class UploadBytesTests
{
    private readonly UploadBytes _uploads = new(Options.Create(new CallerLimits { UploadBytes = 1000 }));

    [Fact]
    public async Task An_upload_is_let_in_while_another_whose_context_is_gone_by_then_has_not_been_taken_out()
    {
        var gate = new TaskCompletionSource();
        var first = ContextOf(600);
        var running = _uploads.InvokeAsync(first, _ => gate.Task);
        // As the server leaves it behind an answer, before it serves another request.
        first.Uninitialize();

        (await LetsInAsync(400)).ShouldBeTrue();
        (await LetsInAsync(401)).ShouldBeFalse();
        gate.SetResult();
        await running;
        (await LetsInAsync(1000)).ShouldBeTrue();
    }

    private async Task<bool> LetsInAsync(long bytes)
    {
        var isIn = false;
        await _uploads.InvokeAsync(
            ContextOf(bytes),
            _ =>
            {
                isIn = true;
                return Task.CompletedTask;
            }
        );
        return isIn;
    }

    private static DefaultHttpContext ContextOf(long bytes)
    {
        var context = new DefaultHttpContext
        {
            Request = { ContentLength = bytes },
            Connection = { RemoteIpAddress = IPAddress.Loopback },
            RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider(),
        };
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new OctetBody("Anything.", "any/thing")), null));
        return context;
    }
}

using FileTransfer.Contracts;
using FileTransfer.Hosting.Requests;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serilog.Events;

namespace FileTransfer.Tests.Hosting.Requests;

public sealed class RequestLogTests
{
    [Theory]
    [InlineData(10, 10L, false)]
    [InlineData(9, 10L, true)]
    [InlineData(10, null, true)]
    public async Task An_answer_whose_reader_closed_is_cut_off_unless_all_of_its_bytes_were_written(
        int written,
        long? length,
        bool isCutOff
    )
    {
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        context.Features.Set<IRequestBodyPipeFeature>(new RequestBodyPipeFeature(context));
        TransferMeter.Attach(context, TimeProvider.System);
        context.Response.ContentLength = length;
        await context.Response.BodyWriter.WriteAsync(new byte[written]);

        RequestLog.IsCutOff(context).ShouldBe(isCutOff);
    }

    [Theory]
    [InlineData("GET", true, false, 200, LogEventLevel.Debug)]
    [InlineData("GET", false, false, 200, LogEventLevel.Information)]
    [InlineData("GET", true, false, 403, LogEventLevel.Information)]
    [InlineData("GET", true, true, 200, LogEventLevel.Information)]
    [InlineData("DELETE", true, false, 200, LogEventLevel.Information)]
    public void What_an_open_page_reads_is_at_debug_level_but_no_content_no_change_and_no_refusal(
        string method,
        bool ofPage,
        bool content,
        int status,
        LogEventLevel level
    )
    {
        var context = new DefaultHttpContext
        {
            Request = { Method = method, Path = "/v1/nodes" },
            Response = { StatusCode = status },
        };
        if (ofPage)
        {
            context.Request.Headers[PageHeader.Name] = "view";
        }

        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(content ? [new OctetAnswer()] : []), null));

        RequestLog.LevelOf(context).ShouldBe(level);
    }

    [Fact]
    public void An_answer_whose_reader_is_there_is_not_cut_off() => RequestLog.IsCutOff(new DefaultHttpContext()).ShouldBeFalse();
}

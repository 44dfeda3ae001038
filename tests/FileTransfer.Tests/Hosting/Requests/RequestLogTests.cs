using FileTransfer.Hosting.Requests;
using FileTransfer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

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

    [Fact]
    public void An_answer_whose_reader_is_there_is_not_cut_off() => RequestLog.IsCutOff(new DefaultHttpContext()).ShouldBeFalse();
}

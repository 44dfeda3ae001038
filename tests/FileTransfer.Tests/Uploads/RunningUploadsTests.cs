using System.IO.Pipelines;
using FileTransfer.Http;
using FileTransfer.Identity;
using FileTransfer.Uploads;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Uploads;

public sealed class RunningUploadsTests
{
    private static readonly FileKey _file = new(new Hash256([.. Enumerable.Repeat((byte)1, 32)]));
    private static readonly FileKey _other = new(new Hash256([.. Enumerable.Repeat((byte)2, 32)]));

    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _sender = new();
    private readonly TransferMeter _meter;
    private readonly RunningUploads _uploads;

    public RunningUploadsTests()
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new Body(_sender.Reader));
        _meter = TransferMeter.Attach(context, _time);
        _uploads = new RunningUploads(_time);
    }

    [Fact]
    public async Task One_that_has_been_silent_for_a_second_is_ended_and_waited_for()
    {
        var running = _uploads.Begin(_file, _meter);
        var reading = _meter.Reader.ReadAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.4));

        var takenOver = _uploads.TakeOverAsync(_file, default);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        reading.IsCompleted.ShouldBeFalse("its sender has some time left");
        _time.Advance(TimeSpan.FromSeconds(0.2));

        (await Should.ThrowAsync<BadHttpRequestException>(reading)).StatusCode.ShouldBe(StatusCodes.Status408RequestTimeout);
        takenOver.IsCompleted.ShouldBeFalse("what it brought is not closed yet");
        running.Dispose();
        await takenOver;
    }

    [Fact]
    public async Task One_that_brings_bytes_goes_on()
    {
        using var running = _uploads.Begin(_file, _meter);
        var reading = _meter.Reader.ReadAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.9));

        var takenOver = _uploads.TakeOverAsync(_file, default);
        await _sender.Writer.WriteAsync(new byte[10]);
        var read = await reading;
        _meter.Reader.AdvanceTo(read.Buffer.End);
        var further = _meter.Reader.ReadAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.5));

        await takenOver;
        further.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Those_of_other_files_are_left_alone()
    {
        using var running = _uploads.Begin(_file, _meter);
        var reading = _meter.Reader.ReadAsync().AsTask();
        _time.Advance(TimeSpan.FromMinutes(1));

        await _uploads.TakeOverAsync(_other, default);

        reading.IsCompleted.ShouldBeFalse();
    }

    private sealed class Body(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}

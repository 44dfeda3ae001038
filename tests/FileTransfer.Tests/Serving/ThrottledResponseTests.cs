using System.IO.Pipelines;
using FileTransfer.Bandwidth;
using FileTransfer.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Serving;

public sealed class ThrottledResponseTests : IDisposable
{
    private const long Length = 64L * 1024 * 1024;

    private readonly FakeTimeProvider _time = new();
    private readonly FairTokenBucket _gate;
    private readonly EgressBandwidth _uplink;
    private long _written;

    public ThrottledResponseTests()
    {
        _gate = new FairTokenBucket(_time);
        _uplink = new EgressBandwidth(_gate, _time);
    }

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task Without_a_limit_nothing_is_allocated_on_the_way()
    {
        var output = PipeWriter.Create(Stream.Null);
        using var sending = ThrottledResponse.Begin(_uplink, new DefaultHttpContext());
        await sending.WriteAsync(WriteAsync, this, output, 0, Length, default);

        var before = GC.GetAllocatedBytesForCurrentThread();
        await sending.WriteAsync(WriteAsync, this, output, 0, Length, default);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(256);
        _written.ShouldBe(2 * Length);
    }

    [Fact]
    public async Task Every_byte_is_asked_for_once_and_in_order_also_when_a_limit_comes_and_goes()
    {
        var output = PipeWriter.Create(Stream.Null);
        using var sending = ThrottledResponse.Begin(_uplink, new DefaultHttpContext());
        _gate.Rate = new ByteRate(1_000_000_000);
        var next = 1000L;
        var writing = sending
            .WriteAsync(
                (test, _, offset, count, _) =>
                {
                    offset.ShouldBe(next);
                    next += count;
                    _gate.Rate = next > Length / 2 ? null : _gate.Rate;
                    return ValueTask.CompletedTask;
                },
                this,
                output,
                1000,
                Length,
                default
            )
            .AsTask();
        while (!writing.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await writing;
        next.ShouldBe(Length + 1000);
    }

    private static ValueTask WriteAsync(
        ThrottledResponseTests test,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken token
    )
    {
        test._written += count;
        return ValueTask.CompletedTask;
    }
}

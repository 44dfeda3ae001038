using System.Text;
using FileTransfer.Downloads.Progress;
using FileTransfer.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Downloads.Progress;

public sealed class EventStreamTests : IDisposable
{
    private static readonly FileKey _file = new(new Hash256([.. Enumerable.Repeat((byte)1, 32)]));
    private static readonly FileKey _other = new(new Hash256([.. Enumerable.Repeat((byte)2, 32)]));

    private readonly WaitedTime _time = new();
    private readonly DownloadEventLog _log;
    private readonly CancellationTokenSource _stop = new();
    private string _state = "wanted";

    public EventStreamTests() => _log = new DownloadEventLog(_time);

    public void Dispose() => _stop.Dispose();

    [Fact]
    public async Task It_goes_on_exactly_behind_the_last_event_that_was_read()
    {
        for (var i = 1; i <= 5; i++)
        {
            Happens(_file, i);
            Happens(_other, i);
        }

        await using var body = new GatedBody();
        var running = RunAsync(body, lastEventId: _log.IdOf(4));
        await body.WrittenAsync("\"bytesProven\":5");
        Happens(_file, 6);
        await body.WrittenAsync("\"bytesProven\":6");

        await EndAsync(running);
        body.Text.ShouldNotContain("event: state");
        Values(body).ShouldBe([3, 4, 5, 6]);
    }

    [Fact]
    public async Task A_reader_who_falls_behind_is_told_the_state_again_and_nothing_is_kept_for_it()
    {
        await using var body = new GatedBody();
        var running = RunAsync(body);
        await body.WrittenAsync("event: state");
        body.Close();
        Happens(_file, 1);
        await body.HeldUpAsync();

        for (var i = 0; i < DownloadEventLog.Kept + 10; i++)
        {
            Happens(_file, 2);
        }

        body.Open();
        await body.WrittenAsync("\"missed\":true");
        Happens(_file, 7);
        await body.WrittenAsync("\"bytesProven\":7");

        await EndAsync(running);
        Values(body).ShouldBe([1, 7]);
    }

    [Fact]
    public async Task A_state_that_no_event_leads_to_is_told_once_when_it_is_reviewed()
    {
        await using var body = new GatedBody();
        var running = RunAsync(body);
        await body.WrittenAsync("event: state");

        await ReviewAsync();
        _state = "stored";
        await ReviewAsync();
        await body.WrittenAsync("\"stored\"");
        await ReviewAsync();
        Happens(_file, 9, DownloadEventKind.Done);
        await body.WrittenAsync("event: done");
        await ReviewAsync();

        await EndAsync(running);
        body.Text.Split("event: state").Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_heartbeat_moves_the_readers_id_past_the_events_of_other_files()
    {
        await using var body = new GatedBody();
        var running = RunAsync(body);
        await body.WrittenAsync("event: state");
        Happens(_other, 1);

        for (var i = 0; i < 12; i++)
        {
            await ReviewAsync();
        }

        await body.WrittenAsync($": alive\nid: {_log.IdOf(1)}\n\n");
        await EndAsync(running);
        Values(body).ShouldBeEmpty();
    }

    private void Happens(FileKey file, long bytes, DownloadEventKind kind = DownloadEventKind.Deferred) =>
        _log.Append(new DownloadEvent(file, kind, null, bytes, 100, null, null));

    private Task RunAsync(GatedBody body, string? lastEventId = null)
    {
        var context = new DefaultHttpContext();
        context.Response.Body = body;
        context.Request.Headers["Last-Event-ID"] = lastEventId;
        return new EventStream(_log, _file, ReadStateAsync, _ => Task.FromResult<string?>(_state), _time).RunAsync(
            context,
            _stop.Token
        );
    }

    private Task<StreamState> ReadStateAsync(bool missed, CancellationToken cancellationToken)
    {
        var json = $$"""{"state":"{{_state}}","missed":{{(missed ? "true" : "false")}}}""";
        return Task.FromResult(new StreamState(Encoding.UTF8.GetBytes(json), _state));
    }

    /// <summary>Lets the stream see that a while has passed, and waits until it has looked and waits again.</summary>
    private async Task ReviewAsync()
    {
        await Eventually.HoldsAsync(() => _time.IsWaitedFor, () => "the stream waits");
        var waits = _time.Waits;
        _time.Advance(EventStream.ReviewPeriod);
        await Eventually.HoldsAsync(
            () => _time.Waits > waits && _time.IsWaitedFor,
            () => "the stream has looked and waits again"
        );
    }

    private async Task EndAsync(Task running)
    {
        await _stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private static List<long> Values(GatedBody body) =>
        [
            .. body
                .Text.Split("\"bytesProven\":")
                .Skip(1)
                .Select(rest => long.Parse(rest[..rest.IndexOf(',', StringComparison.Ordinal)])),
        ];

    /// <summary>Knows whether the stream has a timer running: it takes one when it begins to wait.</summary>
    private sealed class WaitedTime : FakeTimeProvider
    {
        private int _waits;
        private int _ended;

        public int Waits => Volatile.Read(ref _waits);

        public bool IsWaitedFor => Waits > Volatile.Read(ref _ended);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Wait(this, base.CreateTimer(callback, state, dueTime, period));
            Interlocked.Increment(ref _waits);
            return timer;
        }

        private sealed class Wait(WaitedTime time, ITimer timer) : ITimer
        {
            private int _isEnded;

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                timer.Dispose();
                if (Interlocked.Exchange(ref _isEnded, 1) == 0)
                {
                    Interlocked.Increment(ref time._ended);
                }
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }

    /// <summary>A body whose reader can stop reading.</summary>
    private sealed class GatedBody : MemoryStream
    {
        private readonly Lock _gate = new();
        private readonly StringBuilder _text = new();
        private volatile TaskCompletionSource _open = new();
        private volatile bool _isHeldUp;

        public GatedBody() => _open.SetResult();

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return _text.ToString();
                }
            }
        }

        public new void Close() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Open() => _open.TrySetResult();

        public Task HeldUpAsync() => Eventually.HoldsAsync(() => _isHeldUp, () => "the stream is held up");

        public Task WrittenAsync(string what) =>
            Eventually.HoldsAsync(
                () => Text.Contains(what, StringComparison.Ordinal),
                () => $"{what} is written; there is: {Text}"
            );

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _isHeldUp = !_open.Task.IsCompleted;
            await _open.Task.WaitAsync(cancellationToken);
            lock (_gate)
            {
                _text.Append(Encoding.UTF8.GetString(buffer.Span));
            }
        }
    }
}

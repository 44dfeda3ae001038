using FileTransfer.Chunks;
using FileTransfer.Downloads.Progress;
using FileTransfer.Identity;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Downloads.Progress;

public sealed class DownloadEventsTests : IDisposable
{
    private static readonly FileKey _file = new(new Hash256([.. Enumerable.Repeat((byte)1, 32)]));
    private static readonly FileKey _other = new(new Hash256([.. Enumerable.Repeat((byte)2, 32)]));

    private readonly FakeTimeProvider _time = new();
    private readonly DownloadEventLog _log;
    private readonly DownloadEvents _events;

    public DownloadEventsTests()
    {
        _log = new DownloadEventLog(_time);
        _events = new DownloadEvents(_log, _time);
    }

    public void Dispose() => _events.Dispose();

    [Fact]
    public void Proven_ranges_that_come_fast_are_merged_and_told_at_most_every_200_ms()
    {
        Publish(DownloadEventKind.Connected);
        for (var i = 0; i < 100; i++)
        {
            Proven(i, 1);
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        _time.Advance(TimeSpan.FromSeconds(1));

        var told = Logged().Where(e => e.Event.Kind == DownloadEventKind.Proven).ToList();
        told.Count.ShouldBeInRange(4, 7);
        told.Zip(told.Skip(1)).ShouldAllBe(pair => pair.Second.At - pair.First.At >= DownloadEvents.ProvenPeriod);
        told.SelectMany(e => e.Event.Ranges!).Sum(range => range.Count).ShouldBe(100);
        told.ShouldAllBe(e => e.Event.Ranges!.Count == 1);
        told[^1].Event.BytesProven.ShouldBe(100 * 1024);
    }

    [Fact]
    public void An_event_is_made_text_once_for_all_who_read_it_soon_and_old_texts_are_not_kept()
    {
        Publish(DownloadEventKind.Connected);
        var made = 0;
        byte[] Make(LoggedEvent logged) => [(byte)++made];

        var first = Logged()[0].FrameOf(Make);
        Logged()[0].FrameOf(Make).ShouldBeSameAs(first);
        for (var i = 0; i < DownloadEventLog.FramesKept; i++)
        {
            Publish(DownloadEventKind.Connected);
        }

        Logged()[0].FrameOf(Make).ShouldNotBeSameAs(first);
        made.ShouldBe(2);
    }

    [Fact]
    public void What_is_proven_between_two_that_are_told_costs_no_memory()
    {
        Proven(0, 1);
        Proven(1, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 2; i < 1000; i++)
        {
            Proven(i, 1);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void The_last_bytes_before_a_pause_are_told_without_another_event()
    {
        Proven(0, 1);
        Proven(1, 1);
        Logged().Count.ShouldBe(1);

        _time.Advance(DownloadEvents.ProvenPeriod);

        Logged()[^1].Event.Ranges.ShouldBe([new ChunkRange(1, 1)]);
    }

    [Fact]
    public void What_is_still_due_is_told_before_the_end()
    {
        Proven(0, 1);
        Proven(1, 2);
        Publish(DownloadEventKind.Done);
        _time.Advance(TimeSpan.FromSeconds(1));

        Logged().Select(e => e.Event.Kind).ShouldBe([DownloadEventKind.Proven, DownloadEventKind.Proven, DownloadEventKind.Done]);
        _events.Of(_file).ShouldBeNull();
    }

    [Fact]
    public void A_download_under_way_can_be_looked_at()
    {
        Publish(DownloadEventKind.Connected);
        Proven(0, 2);
        Proven(4, 1);
        Proven(2, 2);

        var live = _events.UnderWay().ShouldHaveSingleItem();
        live.Source.ShouldBe("node a");
        live.BytesProven.ShouldBe(5 * 1024);
        live.Ranges.ShouldBe([new ChunkRange(0, 5)]);
        Publish(DownloadEventKind.SourceChanged);
        _events.UnderWay().ShouldHaveSingleItem().Source.ShouldBeNull();
        Publish(DownloadEventKind.Deferred);
        _events.UnderWay().ShouldBeEmpty();
    }

    [Fact]
    public void A_reader_who_is_slower_than_the_log_is_told_so()
    {
        var position = _log.Newest;
        for (var i = 0; i <= DownloadEventLog.Kept; i++)
        {
            Publish(DownloadEventKind.Wanted);
        }

        _log.TryRead(position, 10, []).ShouldBeFalse();
        _log.TryRead(position + 1, 10, []).ShouldBeTrue();
        _log.TryRead(_log.Newest + 1, 10, []).ShouldBeFalse();
    }

    [Fact]
    public void An_id_is_a_position_of_this_process_only()
    {
        _log.PositionOf(_log.IdOf(17)).ShouldBe(17);
        _time.Advance(TimeSpan.FromSeconds(1));
        var later = new DownloadEventLog(_time);
        later.PositionOf(_log.IdOf(17)).ShouldBeNull();
        foreach (var wrong in new[] { null, "", "17", "-", "x-17", _log.IdOf(17) + "0x", _log.IdOf(17) + "-1" })
        {
            _log.PositionOf(wrong).ShouldBeNull(wrong);
        }
    }

    [Fact]
    public async Task A_waiting_reader_is_woken_by_an_event()
    {
        var waiting = _log.WaitAsync(_log.Newest, TimeSpan.FromMinutes(1), default);
        waiting.IsCompleted.ShouldBeFalse();
        Publish(DownloadEventKind.Wanted);
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Events_of_many_threads_are_all_logged_once_and_in_order_of_each_file()
    {
        Parallel.ForEach(
            new[] { _file, _other },
            file =>
            {
                for (var i = 1; i <= 3000; i++)
                {
                    _events.Publish(new DownloadEvent(file, DownloadEventKind.SourceChanged, null, i, 3000, null, null));
                }
            }
        );

        var logged = Logged();
        logged.Select(e => e.Position).ShouldBe(Enumerable.Range(1, 6000).Select(i => (long)i));
        foreach (var file in new[] { _file, _other })
        {
            logged
                .Where(e => e.Event.File == file)
                .Select(e => e.Event.BytesProven)
                .ShouldBe(Enumerable.Range(1, 3000).Select(i => (long)i));
        }
    }

    private void Publish(DownloadEventKind kind) =>
        _events.Publish(new DownloadEvent(_file, kind, "node a", 0, 1_000_000, null, null));

    private void Proven(long first, int count)
    {
        _provenBytes += count * 1024;
        _events.Proven(_file, "node a", Math.Min(_provenBytes, 100 * 1024), 1_000_000, new ChunkRange(first, count));
    }

    private long _provenBytes;

    private List<LoggedEvent> Logged()
    {
        var logged = new List<LoggedEvent>();
        _log.TryRead(0, int.MaxValue, logged).ShouldBeTrue();
        return logged;
    }
}

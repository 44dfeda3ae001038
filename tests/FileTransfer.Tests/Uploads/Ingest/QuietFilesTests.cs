using FileTransfer.Uploads.Ingest;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Uploads.Ingest;

public sealed class QuietFilesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_file_is_quiet_when_it_was_seen_not_to_change_whatever_its_own_times_say()
    {
        var files = new QuietFiles(TimeSpan.FromSeconds(2), most: 10, _time);
        var entry = new FolderEntry("a", "/a", 5, DateTime.UnixEpoch, null);
        files.IsQuiet(entry).ShouldBeFalse("nobody has looked at it before");
        _time.Advance(TimeSpan.FromSeconds(1));
        files.IsQuiet(entry with { Size = 6 }).ShouldBeFalse();
        files.Next.ShouldBe(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(1));
        files.IsQuiet(entry with { Size = 6 }).ShouldBeFalse("it changed a second ago");

        _time.Advance(TimeSpan.FromSeconds(1));
        files.Due().ShouldBe(["a"]);
        files.IsQuiet(entry with { Size = 6 }).ShouldBeTrue();
        files.Forget("a");
        files.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void No_more_files_than_so_many_are_kept()
    {
        var files = new QuietFiles(TimeSpan.FromSeconds(2), most: 1, _time);
        files.IsQuiet(new FolderEntry("a", "/a", 5, DateTime.UnixEpoch, null));
        files.IsQuiet(new FolderEntry("b", "/b", 5, DateTime.UnixEpoch, null));
        files.HasRoomForOthers.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(3));
        files.Due().ShouldBe(["a"]);
        files.Forget("a");
        files.HasRoomForOthers.ShouldBeTrue("b was not watched");

        files.Begin();
        files.IsQuiet(new FolderEntry("b", "/b", 5, DateTime.UnixEpoch, null));
        files.Forget("b");
        files.HasRoomForOthers.ShouldBeFalse("all have been looked at");
    }
}

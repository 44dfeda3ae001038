using FileTransfer.Feed.Push;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Feed.Push;

public sealed class FollowerTroubleTests
{
    private static readonly Guid _epoch = Guid.NewGuid();
    private readonly FakeTimeProvider _time = new();
    private readonly Follower _follower;

    public FollowerTroubleTests() =>
        _follower = new Follower(new FollowerRow("archive", "http://archive", null, "", Paused: false, null), [], _time);

    [Fact]
    public void A_follower_is_in_trouble_from_its_first_bin_that_is_told_anew_to_the_last_one()
    {
        _follower.Trouble.ShouldBeNull();
        var begun = _time.GetUtcNow();
        _follower.RequireRebuild(3);
        _time.Advance(TimeSpan.FromMinutes(5));
        _follower.Set(_epoch, 7, new FollowerBin(9, null, RebuildDue: true, IsAhead: true));

        _follower.Trouble!.Since.ShouldBe(begun);
        _follower.Trouble!.Reason.ShouldContain("had more than there is here");

        Tell(7);
        _follower.Trouble!.Since.ShouldBe(begun);
        _follower.Trouble!.Reason.ShouldBe("is told all files instead of what follows");
        Tell(3);
        _follower.Trouble.ShouldBeNull();
    }

    [Fact]
    public void What_was_marked_before_a_leader_began_is_trouble_since_it_leads()
    {
        var follower = new Follower(_follower.Row, [new AcknowledgedBin("archive", 2, _epoch, 5, RebuildDue: true)], _time);

        follower.Trouble!.Since.ShouldBe(_time.GetUtcNow());
    }

    private void Tell(short bin) => _follower.Set(_epoch, bin, new FollowerBin(9, null, RebuildDue: false, IsAhead: false));
}

using FileTransfer.Cluster.Peers;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Cluster.Peers;

public sealed class CatalogSightTests
{
    private static readonly Guid _first = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a01");
    private static readonly Guid _next = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a02");
    private static readonly Guid _another = Guid.Parse("9f0c2ab0-4e5f-4c9e-8e43-5d3d7f1f6a03");
    private static readonly CatalogSight _old = new("default", "7001", 1, 5, new NodeId("a"), _first);

    [Fact]
    public void A_header_says_what_it_was_made_from_and_an_answer_also_what_it_goes_on_from()
    {
        CatalogSight.Parse(_old.Text).ShouldBe(_old);
        var answer = Moved("7002", _next).AnswerTo(_old, [_first, _next]);
        answer.Former.ShouldBe(_first);
        CatalogSight.Parse(answer.Text).ShouldBe(answer);
        Moved("7002", _next).AnswerTo(_old, [_next]).Former.ShouldBeNull();
        _old.AnswerTo(_old, [_first]).Former.ShouldBeNull();
        _old.AnswerTo(Moved("7001", _next), [_first, _next])
            .Former.ShouldBeNull("a sight of before has not gone on from what came after it");
        CatalogSight.Parse("default 7001 1 5 a").ShouldBeNull();
        CatalogSight.Parse($"{answer.Text} more").ShouldBeNull();
    }

    [Fact]
    public void On_one_server_the_timeline_decides_and_in_one_history_the_leaders()
    {
        Supersedes(_old with { Timeline = 2, Epoch = 1, FeedEpoch = _next }).ShouldBeTrue();
        Supersedes(_old with { Epoch = 6 }).ShouldBeTrue();
        Supersedes(_old with { Epoch = 6, FeedEpoch = _next }).ShouldBeFalse();
        Supersedes(_old).ShouldBeFalse();
        Supersedes(_old with { Cluster = "other", Timeline = 2 }).ShouldBeFalse();
    }

    [Fact]
    public void On_another_server_who_has_gone_on_from_a_history_supersedes_who_is_still_in_it()
    {
        var moved = Moved("7002", _next);
        moved.AnswerTo(_old, [_first, _next]).Supersedes(_old).ShouldBeTrue();
        _old.AnswerTo(moved, [_first]).Supersedes(moved).ShouldBeFalse();
    }

    [Fact]
    public void Two_that_have_gone_on_from_one_and_the_same_history_on_two_servers_are_for_a_person_to_decide()
    {
        var (one, other) = (Moved("7002", _next), Moved("7003", _another) with { Epoch = 99, Timeline = 9 });
        other.AnswerTo(one, [_first, _another]).Supersedes(one).ShouldBeFalse();
        one.AnswerTo(other, [_first, _next]).Supersedes(other).ShouldBeFalse();
    }

    private static bool Supersedes(CatalogSight later) => later.Supersedes(_old);

    private static CatalogSight Moved(string system, Guid feed) => new("default", system, 1, 2, new NodeId("b"), feed);
}

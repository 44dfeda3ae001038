using System.Security.Cryptography;
using System.Text.Json;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Trust;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Tests.Cluster.Gossip;

/// <summary>One machine, and what it is told.</summary>
public sealed class GossipMachineTests
{
    private static readonly PublicKey _key = NewKey();
    private static readonly PeerName _self = Named("self");
    private static readonly PeerName _friend = Named("friend");

    private static readonly PublicKey _otherKey = NewKey();
    private static readonly string _otherDigest = new('A', 22);

    private readonly HashSet<PeerName> _untrusted = [];
    private readonly List<AnnouncementRefusal> _refusals = [];
    private static readonly DateTimeOffset _began = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly GossipMachine _machine;
    private TimeSpan _now;
    private long _requests;

    public GossipMachineTests()
    {
        _machine = new GossipMachine(
            Words(_self),
            GossipLimits.Default,
            words =>
                _untrusted.Contains(words.Name) ? TrustStanding.Unknown
                : words.Content.Keys[0].Equals(_key) ? TrustStanding.Trusted
                : TrustStanding.Conflict,
            new Random(1)
        );
    }

    [Fact]
    public void Who_is_not_trusted_gets_this_nodes_own_announcement_alone_and_is_never_asked()
    {
        Tell(_friend, [Words(_friend)]);
        for (var i = 0; i < 10_000; i++)
        {
            var invented = Named($"invented-{i}");
            _untrusted.Add(invented);
            var answer = Tell(invented, [Words(invented), Words(Named("another"))], isTrusted: false);
            answer.Announcements.ShouldHaveSingleItem().ShouldBe(_machine.Self.Text);
            answer.Peers.ShouldBeNull();
        }

        var peers = _machine.Peers().ToList();
        peers.Count(peer => peer.Standing == TrustStanding.Unknown).ShouldBe(1024);
        peers.ShouldContain(peer => peer.Name == Named("invented-9999"));
        peers.ShouldNotContain(peer => peer.Name == Named("invented-0"));
        peers.ShouldContain(peer => peer.Name == _friend && peer.Standing == TrustStanding.Trusted);
        Rounds(50).ShouldAllBe(ask => ask.To == _friend);
    }

    [Fact]
    public void What_a_trusted_peer_passes_on_of_others_is_judged_as_well()
    {
        var invented = Enumerable.Range(0, 2_000).Select(i => Named($"invented-{i}")).ToList();
        _untrusted.UnionWith(invented);
        Tell(_friend, [Words(_friend)]);
        foreach (var some in invented.Chunk(50))
        {
            Tell(_friend, [.. some.Select(name => Words(name))]);
        }

        _machine.Count.ShouldBe(1);
        _machine.Peers().Count().ShouldBe(1 + 1024);
    }

    [Fact]
    public void An_older_announcement_is_refused_and_counted()
    {
        Tell(_friend, [Words(_friend), Words(Named("other"), generation: 5, version: 3)]);
        Tell(_friend, [Words(Named("other"), generation: 5, version: 2)]);
        Tell(_friend, [Words(Named("other"), generation: 4, version: 9)]);

        _refusals.ShouldBe([AnnouncementRefusal.Older, AnnouncementRefusal.Older]);
        _machine.Find(Named("other"))!.Content.Version.ShouldBe(3);
    }

    [Fact]
    public void A_peer_that_has_answered_nobody_is_unknown()
    {
        Tell(_friend, [Words(_friend), Words(Named("other"))]);

        _machine.StatusOf(Named("other")).ShouldBe(PeerStatus.Unknown);
        _machine.StatusOf(_friend).ShouldBe(PeerStatus.Unknown, "it has asked, and not answered");
        Tell(_friend, peers: [$"{Named("other")} 1 1 0 a"]);
        _machine.StatusOf(Named("other")).ShouldBe(PeerStatus.Alive, "a trusted peer got an answer from it");
    }

    [Fact]
    public void A_node_that_is_suspected_says_at_once_that_it_is_not_dead()
    {
        Tell(_friend, [Words(_friend)]);
        var answer = Tell(_friend, peers: [$"{_self} 1 1 0 as"]);

        answer.Peers.ShouldNotBeNull().ShouldContain($"{_self} 1 1 1 a");
    }

    [Fact]
    public void A_suspicion_ends_in_death_unless_it_is_refuted_in_time()
    {
        var other = Named("other");
        Tell(_friend, [Words(_friend), Words(other)], [$"{other} 1 1 0 as"]);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Suspect);
        Rounds(2);
        Tell(_friend, peers: [$"{other} 1 1 1 a"]);
        Rounds(10);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Alive);

        Tell(_friend, peers: [$"{other} 1 1 1 as"]);
        Rounds(4);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Dead);
        Tell(_friend, peers: [$"{other} 1 1 0 a"]);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Dead, "who says so does not know of the suspicion yet");
    }

    [Fact]
    public void A_name_that_comes_with_another_key_is_shown_as_a_conflict_and_changes_nothing()
    {
        var other = Named("other");
        Tell(_friend, [Words(_friend), Words(other)], [$"{other} 1 1 0 a"]);
        Tell(_friend, [Words(other, generation: 9, key: _otherKey), Words(_self, generation: 9, key: _otherKey)]);

        _refusals.ShouldBe([AnnouncementRefusal.Key, AnnouncementRefusal.Key]);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Alive);
        _machine.Find(other)!.Content.Keys.ShouldBe([_key]);
        var conflict = _machine.Peers().Single(peer => peer.Standing == TrustStanding.Conflict);
        (conflict.Name, conflict.Words.Content.Keys[0]).ShouldBe((other, _otherKey));
        Tell(other, [Words(other, generation: 9, key: _otherKey)], isTrusted: false).Announcements.ShouldHaveSingleItem();
        _machine.Count.ShouldBe(2);
    }

    [Fact]
    public void Whose_silence_is_most_surprising_is_asked_first_in_each_round()
    {
        var names = Enumerable.Range(0, 10).Select(i => Named($"peer-{i}")).ToList();
        _machine.Know([.. names.Select(name => Words(name))]);
        for (var second = 0; second < 40; second++)
        {
            // The third is silent from the tenth second on.
            foreach (var name in names.Where((_, i) => i != 3 || second < 10))
            {
                Tell(name);
            }

            var (phi, first) = (_machine.ViewOf(names[3])!.Phi ?? 0, Rounds(1)[0].To);
            if (phi >= 8)
            {
                first.ShouldBe(names[3], $"in second {second}");
            }
        }

        _machine.ViewOf(names[3])!.Phi!.Value.ShouldBeGreaterThan(8);
        _machine.ViewOf(names[4])!.Phi!.Value.ShouldBeLessThan(1);
    }

    [Fact]
    public void Whose_announcement_has_run_out_is_gone_at_once_and_not_passed_on_until_it_makes_another_one()
    {
        var other = Named("other");
        Tell(_friend, [Words(_friend), Words(other, expiresAfter: TimeSpan.FromSeconds(10))], [$"{other} 1 1 0 a"]);
        Rounds(9);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Alive);
        var digest = _machine.Digest;
        _now += TimeSpan.FromSeconds(1);
        var actions = _machine.Handle(new GossipEvent.Tick(_began + _now), _now);

        actions.OfType<GossipAction.Changed>().ShouldHaveSingleItem().Status.ShouldBe(PeerStatus.Expired);
        _machine.ViewOf(other)!.ToResource(_began).Status.ShouldBe("expired");
        _machine.ViewOf(other)!.IsAlive.ShouldBeFalse();
        _machine.Digest.ShouldNotBe(digest);
        Tell(_friend, wanted: [$"{other}"]).Announcements.ShouldBeNull();

        Rounds(1);
        Tell(_friend, [Words(other, version: 2)]);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Alive);
        Tell(_friend, wanted: [$"{other}"]).Announcements.ShouldNotBeNull();

        // The clock is put ahead by a day, and back.
        _machine.Handle(new GossipEvent.Tick(_began + TimeSpan.FromDays(1)), _now);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Expired);
        _machine.Handle(new GossipEvent.Tick(_began + _now), _now);
        _machine.StatusOf(other).ShouldBe(PeerStatus.Alive);
    }

    [Fact]
    public void Who_is_not_trusted_any_more_is_kept_apart_at_once_and_told_of()
    {
        var other = Named("other");
        Tell(_friend, [Words(_friend), Words(other)]);
        _untrusted.Add(other);
        var actions = _machine.Handle(new GossipEvent.TrustChanged(other), _now);

        actions.OfType<GossipAction.Revoked>().ShouldHaveSingleItem().Peer.Name.ShouldBe(other);
        StandingOf(other).ShouldBe(TrustStanding.Unknown);
        Rounds(20).ShouldAllBe(ask => ask.To == _friend);

        _untrusted.Clear();
        _machine.Handle(new GossipEvent.TrustChanged(null), _now);
        StandingOf(other).ShouldBe(TrustStanding.Trusted);
    }

    [Fact]
    public void An_answer_of_another_node_is_none()
    {
        Tell(_friend, [Words(_friend)]);
        var ask = Rounds(1).ShouldHaveSingleItem();
        var actions = _machine.Handle(new GossipEvent.Answered(ask.Exchange, Named("other"), true, News()), _now);

        actions.OfType<GossipAction.Ask>().ShouldHaveSingleItem().To.ShouldBe(_friend, "it is asked once more");
    }

    [Fact]
    public void Who_is_suspected_is_told_that_alone_until_it_answers()
    {
        var other = Named("other");
        Tell(_friend, [Words(_friend), Words(other)], [$"{other} 1 1 0 as"]);
        var asked = Rounds(20).ToLookup(ask => ask.To, ask => ask.News.ToMessage().Peers ?? []);

        asked[other].ShouldNotBeEmpty();
        asked[other].ShouldAllBe(told => told.Single() == $"{other} 1 1 0 as");
        asked[_friend].ShouldContain(told => told.Count > 1);
    }

    [Fact]
    public void What_a_node_catches_up_with_is_no_news()
    {
        var late = Enumerable.Range(0, 20).Select(i => Words(Named($"late-{i}"))).ToList();
        Tell(_friend, [Words(_friend)]);
        var asked = Answer(Rounds(1).ShouldHaveSingleItem(), digest: _otherDigest).ShouldHaveSingleItem();
        asked.News.IsComplete.ShouldBeTrue();
        foreach (var some in late.Chunk(10))
        {
            asked = Answer(asked, some, _otherDigest).ShouldHaveSingleItem();
        }

        _machine.Count.ShouldBe(21);
        var told = Rounds(1).SelectMany(ask => ask.News.ToMessage().Peers ?? []).Distinct().ToList();
        told.ShouldContain($"{late[0].Name} 1 1 0 -", "these were the first, which may be news");
        told.ShouldNotContain($"{late[10].Name} 1 1 0 -");
    }

    [Fact]
    public void What_others_tell_as_well_is_told_less_where_there_is_more_news_than_fits_into_a_message()
    {
        var names = Enumerable.Range(0, 1_000).Select(i => Named($"peer-{i}")).ToList();
        _machine.Know([Words(_friend), .. names.Select(name => Words(name))]);
        string[] few = [.. names.Take(100).Select(name => $"{name} 1 1 1 a")];
        Repeat(few);
        Rounds(1).ShouldAllBe(ask => few.All(told => ask.News.ToMessage().Peers!.Contains(told)));

        string[] all = [.. names.Select(name => $"{name} 1 1 2 a")];
        Tell(_friend, peers: all);
        Rounds(1).ShouldAllBe(ask => ask.News.ToMessage().Peers!.Count > 500);
        Repeat(all);
        Rounds(1).ShouldAllBe(ask => ask.News.ToMessage().Peers == null);

        void Repeat(string[] told)
        {
            for (var i = 0; i < 6; i++)
            {
                Tell(_friend, peers: told);
            }
        }
    }

    [Fact]
    public void Digests_that_differ_although_neither_has_news_are_compared_at_once()
    {
        _machine.Know([Words(_friend), .. Enumerable.Range(0, 100).Select(i => Words(Named($"peer-{i}")))]);
        for (var i = 0; i < 10; i++)
        {
            Answer(Rounds(1)[0], digest: _otherDigest).ShouldHaveSingleItem().News.Buckets.ShouldNotBeNull();
        }
    }

    [Fact]
    public void A_message_is_never_longer_than_there_may_be_and_knows_how_long_it_is()
    {
        var many = Enumerable.Range(0, 3_000).Select(i => Words(Named($"peer-{i}"))).ToList();
        _machine.Know([Words(_friend), .. many]);
        var empty = Tell(_friend, complete: true);

        empty.Announcements!.Count.ShouldBeInRange(60, 80);
        var buckets = Tell(
            _friend,
            buckets: Convert.ToBase64String(new byte[4096]).Replace('+', '-').Replace('/', '_').TrimEnd('=')
        );
        buckets.Whole!.Count.ShouldBeGreaterThan(500);
        var wanted = Tell(_friend, wanted: [.. many.Select(words => $"{words.Name}")]);
        wanted.Announcements!.Count.ShouldBeInRange(60, 80);
        var told = Tell(_friend, peers: [.. Enumerable.Range(0, 1_500).Select(i => $"{Named($"new-{i}")} 1764400000000 1 0 a")]);
        told.Wanted!.Count.ShouldBe(1_500);
    }

    [Fact]
    public void Nonsense_is_counted_and_throws_nothing()
    {
        Tell(_friend, [Words(_friend)]);
        string?[] nonsense =
        [
            "",
            " ",
            "a/b",
            "a/b 1 1 0 x",
            "a/b -1 1 0 a",
            "a/b 1 1 99999999999 a",
            "a//b 1 1 0 -",
            null,
            "a/b 1 1 0 a c",
        ];
        foreach (var text in nonsense)
        {
            var message = new GossipMessage(text, [text!], [text!], [text!], text, [-1, 5000], true, text, true);
            var news = GossipNews.From(message, isTrusted: true, _ => (null, AnnouncementRefusal.Signature));
            Handle(new GossipEvent.Requested(++_requests, _friend, true, news));
            Handle(new GossipEvent.Answered(_requests, _friend, true, news));
            Handle(new GossipEvent.Failed(_requests + 1_000, "nothing of the kind was asked"));
        }

        _refusals.Count(reason => reason == AnnouncementRefusal.Malformed).ShouldBeGreaterThan(nonsense.Length);
        _refusals.ShouldContain(AnnouncementRefusal.Signature);
        _machine.Count.ShouldBe(1);
    }

    [Fact]
    public void Whichever_way_what_is_told_is_put_together_it_comes_to_the_same()
    {
        var lives = (
            from refutations in Enumerable.Range(0, 3)
            from marks in Enumerable.Range(0, 4)
            select new PeerLife(refutations, (PeerMarks)marks)
        ).ToList();
        foreach (var (a, b, c) in lives.SelectMany(a => lives.SelectMany(b => lives.Select(c => (a, b, c)))))
        {
            a.With(b).ShouldBe(b.With(a));
            a.With(b).With(c).ShouldBe(a.With(b.With(c)));
            a.With(a).ShouldBe(a);
        }
    }

    [Fact]
    public void Phi_grows_with_silence_and_says_nothing_before_there_are_samples()
    {
        var heard = new HeardPeer(1000);
        for (var second = 0; second < 5; second++)
        {
            heard.Hear(TimeSpan.FromSeconds(second));
            heard.Phi(TimeSpan.FromSeconds(second)).ShouldBeNull();
        }

        heard.Hear(TimeSpan.FromSeconds(5));
        heard.Phi(TimeSpan.FromSeconds(6))!.Value.ShouldBe(1 / Math.Log(10), 0.001);
        heard.Phi(TimeSpan.FromSeconds(24))!.Value.ShouldBeGreaterThan(8);
    }

    /// <summary>Sends it a message; the answer, as it goes over the wire.</summary>
    private GossipMessage Tell(
        PeerName from,
        IReadOnlyList<SignedAnnouncement>? announcements = null,
        IReadOnlyList<string>? peers = null,
        IReadOnlyList<string>? wanted = null,
        bool? complete = null,
        string? buckets = null,
        bool isTrusted = true
    )
    {
        var texts = (announcements ?? []).ToDictionary(words => words.Text);
        var message = new GossipMessage(null, peers, [.. texts.Keys], wanted, buckets, null, complete);
        var news = GossipNews.From(message, isTrusted, text => (texts[text], null));
        var actions = Handle(new GossipEvent.Requested(++_requests, from, isTrusted, news));
        var answer = actions.OfType<GossipAction.Answer>().ShouldHaveSingleItem();
        answer.Request.ShouldBe(_requests);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(answer.News.ToMessage(), WireJson.Default.GossipMessage);
        bytes.Length.ShouldBe(answer.News.Size);
        bytes.Length.ShouldBeLessThanOrEqualTo(GossipMessage.Longest);
        return answer.News.ToMessage();
    }

    /// <summary>Answers what it asked; what it asks next.</summary>
    private List<GossipAction.Ask> Answer(
        GossipAction.Ask asked,
        IReadOnlyList<SignedAnnouncement>? announcements = null,
        string? digest = null
    )
    {
        var texts = (announcements ?? []).ToDictionary(words => words.Text);
        var message = new GossipMessage(digest, null, [.. texts.Keys]);
        var news = GossipNews.From(message, isTrusted: true, text => (texts[text], null));
        return [.. Handle(new GossipEvent.Answered(asked.Exchange, asked.To!, true, news)).OfType<GossipAction.Ask>()];
    }

    private IReadOnlyList<GossipAction> Handle(GossipEvent happened)
    {
        var actions = _machine.Handle(happened, _now);
        _refusals.AddRange(actions.OfType<GossipAction.Refused>().Select(refused => refused.Reason));
        return actions;
    }

    /// <summary>What it asks in so many rounds; nothing is answered.</summary>
    private List<GossipAction.Ask> Rounds(int count)
    {
        var asked = new List<GossipAction.Ask>();
        for (var i = 0; i < count; i++)
        {
            _now += GossipLimits.Default.Interval;
            asked.AddRange(_machine.Handle(new GossipEvent.Tick(_began + _now), _now).OfType<GossipAction.Ask>());
        }

        return asked;
    }

    private static GossipNews News() => GossipNews.From(new GossipMessage(), isTrusted: true, _ => default);

    private static PeerName Named(string node) => new("c", new NodeId(node));

    private static SignedAnnouncement Words(
        PeerName name,
        long generation = 1,
        long version = 1,
        TimeSpan? expiresAfter = null,
        PublicKey? key = null
    ) =>
        new(
            new Announcement(
                name,
                generation,
                version,
                [new Uri($"http://{name.Node}:7070")],
                "Auto",
                Leads: false,
                FeedEpoch: null,
                Buckets: [],
                [key ?? _key],
                Rotation: null,
                _began,
                _began + (expiresAfter ?? TimeSpan.FromDays(1))
            ),
            $"{name.Node}.{generation}.{version}.{key}".PadRight(800, 'x')
        );

    private static PublicKey NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return PublicKey.Of(key);
    }

    private TrustStanding StandingOf(PeerName name) => _machine.Peers().Single(peer => peer.Name == name).Standing;
}

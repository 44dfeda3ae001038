using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Progress;
using FileTransfer.Identity;
using FileTransfer.Operations;

namespace FileTransfer.Tests.Operations;

/// <summary>Whatever a file's state is, the first sentence answers and the rest says what ends the wait.</summary>
public sealed class ExplanationTests
{
    private static readonly DateTimeOffset _now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NodeId _here = new("b");

    private static ExplainedFile Plain { get; } =
        new(
            new FileRecord(
                new FileKey(new Hash256(new byte[32])),
                new FileMetadata(default, default, ByteString.FromUtf8("a"), 1000, new Fingerprint(new Hash256(new byte[32]))),
                FileState.Added,
                1,
                _now,
                null
            ),
            _here,
            Leads: false,
            Here: null,
            new ReplicaDiagnostics(_now, PolicyWants: true, null, IsPinned: false, null, null, null, null),
            Live: null,
            [],
            [],
            [],
            [],
            FeedLag: 0,
            MaxAttempts: 8,
            NotJoinedBecause: null,
            NoRoomBecause: null
        );

    [Fact]
    public void A_node_that_is_behind_the_feed_says_so_before_anything_else() =>
        First(Plain with { FeedLag = 12 }).ShouldContain("has not read the last 12 mutations of bin 0");

    [Fact]
    public void A_file_that_its_policy_leaves_out_is_said_to_be() =>
        First(Plain with { Standing = Plain.Standing with { PolicyWants = false } }).ShouldContain("the policy of its bucket");

    [Fact]
    public void Loads_that_want_a_file_are_named() =>
        Explanation
            .Of(With(ReplicaState.Wanted, standing: Plain.Standing with { PolicyWants = false, Loads = "state-17, state-18" }))[
                ^1
            ]
            .ShouldBe("It is wanted here by a load that runs: state-17, state-18.");

    [Theory]
    [InlineData(0, "it is the next one to start")]
    [InlineData(1, "1 file starts before it")]
    [InlineData(17, "17 files start before it")]
    [InlineData(1001, "more than 1000 files start before it")]
    public void A_file_in_the_queue_knows_its_place(int ahead, string words) =>
        First(With(ReplicaState.Wanted, standing: Plain.Standing with { Ahead = ahead })).ShouldContain(words);

    [Fact]
    public void What_holds_up_the_whole_node_comes_before_a_free_lane_and_before_the_next_attempt()
    {
        var full = With(ReplicaState.Wanted, standing: Plain.Standing with { Ahead = 0 }) with
        {
            NoRoomBecause = "the disk is full",
        };
        First(full).ShouldContain("No download starts here: the disk is full.");
        First(full).ShouldNotContain("free lane");
        First(full with { NotJoinedBecause = "the database is away" }).ShouldContain("nothing starts: the database is away.");
        var waits = With(ReplicaState.Wanted, reason: "node a is silent", next: _now.AddSeconds(30));
        First(waits with { NoRoomBecause = "the disk is full" }).ShouldContain("the disk is full");
    }

    [Theory]
    [InlineData(WaitCondition.Time, "or as soon as another node gets it stored")]
    [InlineData(WaitCondition.Source, "or as soon as a source answers")]
    [InlineData(WaitCondition.Permit, "or as soon as a source has a permit for it")]
    [InlineData(WaitCondition.Provider, "or as soon as another node gets it stored")]
    public void A_wait_has_a_reason_an_end_and_what_ends_it_sooner(WaitCondition waitsFor, string words)
    {
        var says = First(With(ReplicaState.Wanted, reason: "node a is silent", next: _now.AddSeconds(30), waitsFor: waitsFor));

        says.ShouldContain("waits: node a is silent");
        says.ShouldContain("2 of 8 attempts have failed");
        says.ShouldContain("in 30 s, at 2030-01-01 12:00:30Z");
        says.ShouldContain(words);
    }

    [Fact]
    public void A_wait_for_ever_names_what_it_waits_for()
    {
        First(With(ReplicaState.Wanted, next: DateTimeOffset.MaxValue, waitsFor: WaitCondition.Upload))
            .ShouldBe("It waits for its upload to this node.");
        First(With(ReplicaState.Wanted, next: DateTimeOffset.MaxValue, waitsFor: WaitCondition.Source))
            .ShouldEndWith("It is tried again as soon as a source answers.");
    }

    [Theory]
    [InlineData(true, "b/lane-1 holds its lock")]
    [InlineData(false, "has lost its lock")]
    public void A_download_says_whether_its_holder_is_alive(bool isHeld, string words)
    {
        var says = Explanation.Of(
            With(ReplicaState.Downloading, standing: Plain.Standing with { IsHeld = isHeld, HolderPid = 4711 }) with
            {
                Live = new LiveDownload(Plain.File.Key, "share mirror", 500, 1000, _now, []),
            }
        );

        says[0].ShouldContain("from share mirror: 500 of 1000 bytes (50 %) are proven");
        says[1].ShouldContain(words);
    }

    [Fact]
    public void A_failed_file_says_what_helps_and_a_stored_one_says_little()
    {
        First(With(ReplicaState.Failed, reason: "node a lied")).ShouldContain("node a lied");
        Explanation.Of(With(ReplicaState.Stored)).ShouldHaveSingleItem().ShouldStartWith("It is stored here since");
    }

    [Fact]
    public void What_keeps_everything_from_starting_is_named()
    {
        var says = Explanation.Of(
            With(ReplicaState.Wanted) with
            {
                NotJoinedBecause = "no database",
                NoRoomBecause = "disk full",
            }
        );

        says.ShouldContain(s => s.Contains("no database"));
        says.ShouldContain(s => s.Contains("disk full"));
    }

    [Fact]
    public void Sources_and_what_they_said_are_named_the_latest_first()
    {
        var says = Explanation.Of(
            With(ReplicaState.Wanted) with
            {
                Holders =
                [
                    new Holder(new NodeId("a"), Leads: true, null),
                    new Holder(new NodeId("c"), false, TimeSpan.FromSeconds(32)),
                ],
                Shares = ["share mirror"],
                Trials =
                [
                    new SourceTrial("node c", "timed out", _now.AddMinutes(-5), 3),
                    new SourceTrial("node a", "it answered 404.", _now.AddSeconds(-4), 1),
                ],
            }
        );

        says.Skip(1)
            .ShouldBe([
                "Nodes that have it stored: a (leads), c (not heard of for 32 s).",
                "Configured sources that may have it: share mirror.",
                "node a, 4.0 s ago: it answered 404.",
                "node c, 5 min ago: timed out (3 times).",
            ]);
    }

    [Theory]
    [MemberData(nameof(EveryState))]
    public void Every_state_is_explained_in_whole_sentences(ReplicaState state)
    {
        foreach (var reason in (string?[])[null, "of a reason"])
        {
            var says = Explanation.Of(With(state, reason));
            says.ShouldNotBeEmpty();
            says.ShouldAllBe(sentence => char.IsUpper(sentence[0]) && sentence.EndsWith('.') && !sentence.Contains(".."));
        }
    }

    public static TheoryData<ReplicaState> EveryState => new(Enum.GetValues<ReplicaState>());

    private static string First(ExplainedFile file) => Explanation.Of(file)[0];

    private static ExplainedFile With(
        ReplicaState state,
        string? reason = null,
        DateTimeOffset? next = null,
        ReplicaDiagnostics? standing = null,
        WaitCondition waitsFor = WaitCondition.Time
    ) =>
        Plain with
        {
            Here = new ReplicaRecord(_here, Plain.File.Key, state, 3, 2, next, "b/lane-1", 0, reason, _now, waitsFor),
            Standing = standing ?? Plain.Standing,
        };
}

using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Wants.Loads;

namespace FileTransfer.Tests.Wants.Loads;

/// <summary>A load ends whole, in vain, or at its deadline; never before its rounds, and never while a file just comes.</summary>
public sealed class LoadStepTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 0, 0, 3, "Store")]
    [InlineData(9, 0, 0, 3, "Wait")]
    [InlineData(9, 1, 0, 3, "Fail")]
    [InlineData(9, 1, 1, 3, "Wait")]
    [InlineData(9, 1, 0, 4, "NextRound")]
    [InlineData(9, 1, 0, null, "NextRound")]
    [InlineData(8, 1, 0, null, "Wait")]
    public void A_round_ends_when_every_missing_file_was_tried_in_vain_and_none_is_coming(
        int stored,
        int inVain,
        int moving,
        int? rounds,
        string step
    ) => LoadSteps.Of(Load(rounds), Progress(stored, inVain, moving)).ToString().ShouldBe(step);

    [Fact]
    public void A_load_ends_at_its_deadline_whatever_is_coming_and_when_a_file_is_removed()
    {
        LoadSteps.Of(Load(null) with { Now = _now.AddSeconds(60) }, Progress(9, 0, 1)).ShouldBe(LoadStep.Fail);
        LoadSteps.Of(Load(null), Progress(9, 0, 1) with { Removed = 1 }).ShouldBe(LoadStep.Fail);
        LoadSteps.Of(Load(null) with { Now = _now.AddSeconds(60) }, Progress(10, 0, 0)).ShouldBe(LoadStep.Store);
    }

    [Fact]
    public void A_round_whose_files_are_not_all_asked_for_yet_has_not_ended() =>
        LoadSteps.Of(Load(3) with { BegunRound = 2 }, Progress(9, 1, 0)).ShouldBe(LoadStep.Wait);

    [Fact]
    public void The_reason_of_a_failure_names_a_file_and_counts_them()
    {
        var missing = new MissingLabel("shard-3", "0x33", "wanted", "share 'a' does not have the file", []);

        LoadSteps
            .ReasonOf(Load(3), Progress(7, 3, 0), missing)
            .ShouldBe(
                "its 3 rounds failed; 3 of 10 files are not here, such as 'shard-3' (0x33), which is wanted: share 'a' does not have the file"
            );
        LoadSteps
            .ReasonOf(Load(3) with { Now = _now.AddSeconds(61) }, Progress(7, 3, 0), missing)
            .ShouldStartWith("its deadline passed in round 3;");
    }

    [Theory]
    [InlineData("""{"files":{},"deadline":"00:01:00"}""", "files has 0 entries")]
    [InlineData("""{"files":{"a":"0x12"},"deadline":"00:01:00"}""", "The key of 'a' is '0x12'")]
    [InlineData("""{"files":{"":"KEY"},"deadline":"00:01:00"}""", "'' is no label")]
    [InlineData("""{"files":{"a":"KEY"}}""", "deadline is missing")]
    [InlineData("""{"files":{"a":"KEY"},"deadline":"31.00:00:00"}""", "deadline is 31.00:00:00")]
    [InlineData("""{"files":{"a":"KEY"},"deadline":"00:01:00","rounds":0}""", "rounds is 0")]
    [InlineData("""{"files":{"a":"KEY"},"deadline":"00:01:00","priority":101}""", "priority is 101")]
    [InlineData("""{"files":{"a":"KEY"},"deadline":"00:01:00","metadata":{"b":null}}""", "metadata has 'b'")]
    public void An_order_with_a_fault_is_refused_by_its_name(string json, string fault)
    {
        var key = $"0x{new string('8', 64)}";
        var request = System.Text.Json.JsonSerializer.Deserialize(
            json.Replace("KEY", key, StringComparison.Ordinal),
            WireJson.Default.LoadRequest
        )!;

        LoadOrder.Read("state", request, out var problem).ShouldBeNull();

        problem!.ProblemDetails.Detail.ShouldNotBeNull().ShouldContain(fault);
    }

    private static LoadProgress Progress(int stored, int inVain, int moving) => new(stored, 0, 0, inVain, moving, 0, 1000, 500);

    private static LoadRow Load(int? rounds) =>
        new(
            1,
            "state",
            new ByteString(new byte[32]),
            Files: 10,
            Sequence: 0,
            Priority: 0,
            Rank: 101,
            rounds,
            TimeSpan.FromSeconds(2),
            TimeSpan.FromSeconds(60),
            _now,
            _now.AddSeconds(60),
            Round: 3,
            BegunRound: 3,
            _now,
            EndedAt: null,
            Outcome: null,
            Reason: null,
            Report: null,
            Settled: false,
            _now.AddSeconds(1)
        );
}

using FileTransfer.Contracts;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Planning;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Downloads;

/// <summary>Chunks that a node says it has, as windows that can be asked for.</summary>
public sealed class FellowPartsTests
{
    private static readonly FileKey _file = new(Enumerable.Repeat((byte)7, 32).ToArray());
    private static readonly SourceId _node = new("node x");

    /// <summary>Windows of 100 chunks; the last has 50.</summary>
    private readonly FellowParts _parts = new(_node, _file, chunkCount: 350, windowChunks: 100);

    [Fact]
    public void It_answers_for_parts_from_its_first_line_on() =>
        _parts.Hear(new PartsLine(Generation: 3)).ShouldBe([new PlannerEvent.PartsBegun(_node, _file)]);

    [Fact]
    public void A_window_is_here_with_its_last_chunk_whatever_lines_bring_it()
    {
        Hear(
                have:
                [
                    [0, 98],
                    [100, 250],
                ]
            )
            .ShouldBe([(1, PartState.Here)]);
        Hear(
                have:
                [
                    [99, 99],
                ]
            )
            .ShouldBe([(0, PartState.Here)]);
        Hear(
                have:
                [
                    [251, 349],
                ]
            )
            .ShouldBe([(2, PartState.Here), (3, PartState.Here)], ignoreOrder: true);
    }

    [Fact]
    public void A_window_that_is_being_sent_comes_until_the_list_has_it_no_more()
    {
        Hear(
                coming:
                [
                    [120, 199],
                ]
            )
            .ShouldBe([(1, PartState.Coming)]);
        Hear(
                coming:
                [
                    [300, 349],
                ]
            )
            .ShouldBe([(1, PartState.Missing), (3, PartState.Coming)], ignoreOrder: true);
        Hear(
                have:
                [
                    [300, 349],
                ]
            )
            .ShouldBe([(3, PartState.Here)]);
        Hear(coming: []).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_told_twice_changes_nothing()
    {
        Hear(
                have:
                [
                    [0, 149],
                ]
            )
            .ShouldBe([(0, PartState.Here)]);
        Hear(
                have:
                [
                    [0, 149],
                ]
            )
            .ShouldBeEmpty();
        Hear(
                have:
                [
                    [150, 199],
                ]
            )
            .ShouldBe([(1, PartState.Here)]);
    }

    [Fact]
    public void One_that_has_it_stored_has_all_of_it()
    {
        Hear(end: PartsLine.Failed).ShouldBeEmpty();
        _parts.IsStored.ShouldBeFalse();
        Hear(end: PartsLine.Stored).Count.ShouldBe(4);
        _parts.IsStored.ShouldBeTrue();
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(7, 6)]
    [InlineData(0, 350)]
    public void A_range_that_is_none_of_the_files_says_nothing(long first, long last) =>
        Hear(
                have:
                [
                    [first, last],
                    [],
                ]
            )
            .ShouldBeEmpty();

    private List<(int Window, PartState State)> Hear(long[][]? have = null, long[][]? coming = null, string? end = null) =>
        [
            .. _parts
                .Hear(new PartsLine(Have: have, Coming: coming, End: end))
                .Cast<PlannerEvent.PartChanged>()
                .Select(change => (change.Window, change.State)),
        ];
}

using FileTransfer.Feed;
using FileTransfer.Identity;

namespace FileTransfer.Tests.Feed;

public sealed class FeedPageTests
{
    private static readonly Guid _epoch = new("0198a5d2-6f0e-7c3a-9b41-5d2f8e6a1c07");

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_page_that_goes_on_right_behind_the_position_is_dense_and_ends_with_its_last_sequence(long after)
    {
        var page = Page(after, after + 1, after + 2, after + 3);

        page.RequireDense();
        page.Last.ShouldBe(after + 3);
    }

    [Theory]
    [InlineData(new long[] { 9 }, 8, "9")] // it begins too late
    [InlineData(new long[] { 7, 8 }, 8, "7")] // it begins again
    [InlineData(new long[] { 8, 10 }, 9, "10")] // one is missing
    [InlineData(new long[] { 8, 8 }, 9, "8")] // one comes twice
    [InlineData(new long[] { }, 8, "nothing")] // the bin goes on, and there is nothing
    public void A_gap_is_never_stepped_over_and_names_where_it_is(long[] sequences, long expected, string found)
    {
        var message = Should.Throw<FeedGapException>(Page(7, sequences).RequireDense).Message;

        message.ShouldContain($"Bin 3 of the feed has a gap: after {expected - 1} comes {found} ");
        message.ShouldContain(_epoch.ToString());
    }

    [Fact]
    public void A_page_without_mutations_leaves_the_position_where_it_is() => Page(7).Last.ShouldBe(7);

    private static FeedPage Page(long after, params long[] sequences) =>
        new(
            _epoch,
            Bin: 3,
            after,
            [.. sequences.Select(sequence => new Mutation(3, sequence, MutationKind.Add, new FileKey(new Hash256(new byte[32]))))]
        );
}

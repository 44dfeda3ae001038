using FileTransfer.Chunks;
using FileTransfer.Downloads.Progress;

namespace FileTransfer.Tests.Downloads;

public sealed class ProvenRangesTests
{
    [Fact]
    public void Ranges_in_any_order_are_those_of_the_set_of_their_chunks()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var (ranges, chunks) = (new ProvenRanges(), new SortedSet<long>());
            for (var i = 0; i < 30; i++)
            {
                var range = new ChunkRange(random.Next(200), random.Next(1, 12));
                ranges.Add(range);
                chunks.UnionWith(Enumerable.Range(0, range.Count).Select(at => range.First + at));
            }

            var told = ranges.Snapshot();
            told.SelectMany(range => Enumerable.Range(0, range.Count).Select(at => range.First + at)).ShouldBe(chunks);
            told.Zip(told.Skip(1)).ShouldAllBe(pair => pair.First.First + pair.First.Count < pair.Second.First);
        }
    }

    [Fact]
    public void Beyond_the_bound_the_shortest_is_left_out()
    {
        var ranges = new ProvenRanges();
        for (var i = 0; i <= ProvenRanges.MaxRanges; i++)
        {
            ranges.Add(new ChunkRange(i * 10, i == 5 ? 1 : 2));
        }

        ranges.Snapshot().Count.ShouldBe(ProvenRanges.MaxRanges);
        ranges.Snapshot().ShouldNotContain(range => range.First == 50);
    }
}

using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class ChunkRangesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void They_agree_with_a_plain_set(int seed)
    {
        const int Size = 60;
        var random = new Random(seed);
        var ranges = new ChunkRanges();
        var plain = new SortedSet<long>();
        for (var step = 0; step < 2_000; step++)
        {
            var first = random.Next(Size);
            var end = random.Next(first, Size + 1);
            var ids = Enumerable.Range(first, end - first).Select(id => (long)id).ToList();
            switch (random.Next(4))
            {
                case 0:
                    ranges.Add(first, end);
                    plain.UnionWith(ids);
                    break;
                case 1:
                    ranges.Remove(first, end).ShouldBe(ids.Count(plain.Contains));
                    plain.ExceptWith(ids);
                    break;
                case 2 when !ranges.IsEmpty:
                    var taken = ranges.TakeFirst(1 + random.Next(10));
                    taken.First.ShouldBe(plain.Min);
                    for (var id = taken.First; id < taken.End; id++)
                    {
                        plain.Remove(id).ShouldBeTrue();
                    }

                    break;
                case 3:
                    ranges.FirstFrom(first).ShouldBe(plain.Where(id => id >= first).Select(id => (long?)id).FirstOrDefault());
                    if (ranges.FirstFrom(first) is { } next)
                    {
                        var run = ranges.TakeFrom(next, 1 + random.Next(10));
                        run.First.ShouldBe(next);
                        for (var id = run.First; id < run.End; id++)
                        {
                            plain.Remove(id).ShouldBeTrue();
                        }
                    }

                    break;
            }

            ranges.Count.ShouldBe(plain.Count);
            Ids(ranges).ShouldBe(plain);
            ranges.Runs.Zip(ranges.Runs.Skip(1)).ShouldAllBe(pair => pair.Second.End < pair.First.First);
            if (!ranges.IsEmpty)
            {
                ranges.Span().First.ShouldBe(plain.Min);
                ranges.Span().End.ShouldBe(plain.Max + 1);
            }
        }
    }

    [Fact]
    public void What_is_taken_in_order_stays_one_run()
    {
        var ranges = new ChunkRanges();
        ranges.Add(0, 1L << 30);
        for (var window = 0; window < 1 << 18; window++)
        {
            ranges.TakeFirst(4096).First.ShouldBe(window * 4096L);
            (ranges.Runs.Count <= 1).ShouldBeTrue();
        }

        ranges.IsEmpty.ShouldBeTrue();
    }

    private static IEnumerable<long> Ids(ChunkRanges ranges) =>
        ranges
            .Runs.Reverse()
            .SelectMany(run => Enumerable.Range(0, (int)(run.End - run.First)).Select(offset => run.First + offset));
}

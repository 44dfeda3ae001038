using FileTransfer.Chunks;

namespace FileTransfer.Tests.Chunks;

public sealed class ChunkSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(70_000)]
    public void It_agrees_with_a_plain_set(int chunkCount)
    {
        var random = new Random(chunkCount);
        var set = new ChunkSet(chunkCount);
        var plain = new bool[chunkCount];
        while (!set.IsFull)
        {
            var first = random.Next(chunkCount);
            var count = random.Next(1, Math.Min(1 + (chunkCount / 10), chunkCount - first) + 1);
            set.Add(first, count).ShouldBe(plain.AsSpan(first, count).Count(false));
            plain.AsSpan(first, count).Fill(true);
            set.Count.ShouldBe(plain.Count(present => present));

            var from = random.Next(chunkCount);
            var absent = Array.IndexOf(plain, false, from);
            set.EndOfRun(from).ShouldBe(absent >= 0 ? absent : chunkCount);
            set.TryNextAbsent(from, 50, out var found, out var length).ShouldBe(absent >= 0);
            if (absent >= 0)
            {
                var end = Array.IndexOf(plain, true, absent);
                (found, length).ShouldBe((absent, Math.Min(50, (end < 0 ? chunkCount : end) - absent)));
            }
        }

        set.TryNextAbsent(0, 1, out _, out _).ShouldBeFalse();
        set.Runs().ShouldBe([(0, chunkCount)]);
        set.Clear();
        set.Contains(0).ShouldBeFalse();
        set.Runs().ShouldBeEmpty();
        set.TryNextAbsent(0, int.MaxValue, out _, out var all).ShouldBeTrue();
        all.ShouldBe(chunkCount);
    }

    [Fact]
    public void Its_runs_are_those_that_were_added()
    {
        var set = new ChunkSet(200_000);
        (long First, long End)[] runs = [(0, 1), (63, 65), (32_700, 100_000), (131_071, 131_073), (199_999, 200_000)];
        foreach (var (first, end) in runs)
        {
            set.Add(first, (int)(end - first));
        }

        set.Runs().ShouldBe(runs);
    }

    [Fact]
    public void What_came_in_order_takes_no_memory()
    {
        const long Chunks = 1L << 30;
        var set = new ChunkSet(Chunks);
        for (var first = 0L; first < 1 << 24; first += 1 << 15)
        {
            set.Add(first, 1 << 15);
        }

        set.PagesInMemory.ShouldBe(0);
        set.TryNextAbsent(0, 4096, out var next, out var count).ShouldBeTrue();
        (next, count).ShouldBe((1L << 24, 4096));
    }
}

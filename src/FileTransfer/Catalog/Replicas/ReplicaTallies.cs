namespace FileTransfer.Catalog.Replicas;

/// <summary>How many replicas each node has in each state, for pages that are asked for again and again.</summary>
/// <remarks>
/// Counting costs nothing where replicas are written, and reads all that are counted. So a count that took its time is given again for a
/// while, the longer the longer it took, and made anew behind an answer; one that was quick is made for every answer. What is stored is
/// counted apart from the rest: however much it is, nobody takes a node for complete that still wants something.
/// </remarks>
public sealed class ReplicaTallies(ReplicaTable replicas, TimeProvider time)
{
    private readonly Tally _stored = new(replicas.CountStoredAsync, time);
    private readonly Tally _others = new(replicas.CountOthersAsync, time);

    public async Task<IReadOnlyList<ReplicaCounts>> CountAsync(CancellationToken cancellationToken) =>
        [.. await _stored.GetAsync(cancellationToken), .. await _others.GetAsync(cancellationToken)];

    private sealed class Tally(Func<CancellationToken, Task<IReadOnlyList<ReplicaCounts>>> count, TimeProvider time)
    {
        /// <summary>What takes less is not worth remembering.</summary>
        private static readonly TimeSpan _quick = TimeSpan.FromMilliseconds(20);

        /// <summary>A count is as good as new for so many times as long as it took: counting takes 5 % of a processor at the most.</summary>
        private const int FreshFor = 20;

        /// <summary>And is given, while it is made anew, for so many times as long.</summary>
        private const int GivenFor = 200;

        private static readonly TimeSpan _longest = TimeSpan.FromMinutes(1);

        private readonly Lock _gate = new();
        private Task<Counted>? _counting;
        private Counted? _last;

        public async Task<IReadOnlyList<ReplicaCounts>> GetAsync(CancellationToken cancellationToken)
        {
            if (_last is { } last && last.Took > _quick)
            {
                var age = time.GetElapsedTime(last.At);
                if (age < last.Took * FreshFor)
                {
                    return last.Counts;
                }

                if (age < last.Took * GivenFor && age < _longest)
                {
                    _ = CountingAsync().ContinueWith(static failed => failed.Exception, TaskScheduler.Default);
                    return last.Counts;
                }
            }

            return (await CountingAsync().WaitAsync(cancellationToken)).Counts;
        }

        /// <summary>One counts for all who ask meanwhile, unless it is quick.</summary>
        private Task<Counted> CountingAsync()
        {
            lock (_gate)
            {
                if (_counting is { IsCompleted: false } && _last?.Took > _quick)
                {
                    return _counting;
                }

                return _counting = CountAsync();
            }
        }

        private async Task<Counted> CountAsync()
        {
            var at = time.GetTimestamp();
            var counts = await count(CancellationToken.None);
            return _last = new Counted(counts, at, time.GetElapsedTime(at));
        }

        private sealed record Counted(IReadOnlyList<ReplicaCounts> Counts, long At, TimeSpan Took);
    }
}

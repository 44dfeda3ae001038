using System.Runtime.ExceptionServices;

namespace FileTransfer.Concurrency;

/// <summary>Work that is cut into numbered parts and shared out to the cores.</summary>
/// <remarks>What the framework has for this takes longer to get going than hashing 20 MiB; a program that does one thing and ends would wait for it.</remarks>
internal static class ParallelRanges
{
    /// <summary>
    /// Does the parts 0 … <paramref name="parts"/> - 1, each once and in no order, on the caller's thread and on others beside it, and
    /// returns when all are done. A part that fails ends the work: its exception is thrown when no other part is being done any more.
    /// </summary>
    /// <param name="parts">How many there are.</param>
    /// <param name="atMost">Threads, the caller's among them.</param>
    /// <param name="part">Does the part of this number.</param>
    /// <param name="cancellationToken">Ends the work between two parts.</param>
    public static void Run(long parts, int atMost, Action<long> part, CancellationToken cancellationToken = default)
    {
        var taken = 0L;
        Exception? failure = null;
        var others = new Task[Math.Max(0, Math.Min(parts, atMost) - 1)];
        for (var other = 0; other < others.Length; other++)
        {
            others[other] = Task.Run(Work, CancellationToken.None);
        }

        Work();
        Task.WaitAll(others, CancellationToken.None);
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        void Work()
        {
            try
            {
                while (Volatile.Read(ref failure) is null && Interlocked.Increment(ref taken) is var next && next <= parts)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    part(next - 1);
                }
            }
            catch (Exception fault)
            {
                Interlocked.CompareExchange(ref failure, fault, null);
            }
        }
    }
}

using System.Collections.Concurrent;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Sources;

/// <summary>Why a node is not asked now, and how long that lasts.</summary>
public readonly record struct SourceRest(string Reason, TimeSpan Left);

/// <summary>Nodes that did not answer rest before they are asked again, each time longer, so that files that only they have do not occupy the lanes.</summary>
/// <remarks>After a rest one download tries the node; until that has an answer the others wait.</remarks>
public sealed class SourceRests(TimeProvider time)
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _whileTried = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<NodeId, Silence> _silent = new();

    /// <summary>Whether a node rests now; null = it may be asked.</summary>
    public SourceRest? Of(NodeId node)
    {
        if (!_silent.TryGetValue(node, out var silence))
        {
            return null;
        }

        lock (silence)
        {
            return Left(silence) is { Ticks: > 0 } left
                ? new SourceRest(silence.Reason, silence.IsTried && left > _whileTried ? _whileTried : left)
                : null;
        }
    }

    /// <summary>Asks to ask a node; null = do, and say with <see cref="Answered"/> or <see cref="Failed"/> what came of it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="forgottenAfter">When a download that tries a node after its rest and says nothing is taken for lost.</param>
    public SourceRest? Enter(NodeId node, TimeSpan forgottenAfter)
    {
        if (!_silent.TryGetValue(node, out var silence))
        {
            return null;
        }

        lock (silence)
        {
            if (Of(node) is { } rest)
            {
                return rest;
            }

            silence.IsTried = true;
            silence.Until = After(forgottenAfter);
            return null;
        }
    }

    /// <summary>The node sends what it is asked for.</summary>
    public void Answered(NodeId node) => _silent.TryRemove(node, out _);

    /// <summary>The node could not be reached or said nothing.</summary>
    public void Failed(NodeId node, string reason)
    {
        var silence = _silent.GetOrAdd(node, static _ => new Silence());
        lock (silence)
        {
            if (!silence.IsTried && Left(silence) > TimeSpan.Zero)
            {
                return; // Asked together with the one that was told first: the same silence.
            }

            silence.Until = After(silence.Rest);
            silence.Rest = silence.Rest * 2 < _longest ? silence.Rest * 2 : _longest;
            silence.Reason = reason;
            silence.IsTried = false;
        }
    }

    private TimeSpan Left(Silence silence) => time.GetElapsedTime(time.GetTimestamp(), silence.Until);

    private long After(TimeSpan span) => time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);

    private sealed class Silence
    {
        public long Until { get; set; }

        public TimeSpan Rest { get; set; } = _first;

        public string Reason { get; set; } = "";

        public bool IsTried { get; set; }
    }
}

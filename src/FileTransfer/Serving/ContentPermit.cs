using FileTransfer.Bandwidth;

namespace FileTransfer.Serving;

/// <summary>One request of a node for a part of a large content, from its admission to its end.</summary>
public sealed class ContentPermit
{
    private readonly TimeSpan _enteredAt;
    private readonly SlidingWindowRate _sent = new();

    internal ContentPermit(string node, Fingerprint content, ContentPart part, TimeSpan now)
    {
        Node = node;
        Content = content;
        Part = part;
        _enteredAt = now;
    }

    internal string Node { get; }

    internal Fingerprint Content { get; }

    internal ContentPart Part { get; }

    internal TimeSpan? FirstByteAt { get; private set; }

    internal void Sent(long bytes, TimeSpan now)
    {
        FirstByteAt ??= now;
        _sent.Add(bytes, now);
    }

    internal double BytesPerSecond(TimeSpan now, TimeSpan span) => _sent.BytesPerSecond(now, span);

    /// <summary>It counts as using everything: its first bytes are under way.</summary>
    internal bool IsYoung(TimeSpan now) =>
        now - (FirstByteAt is { } first && first - _enteredAt < ContentAdmission.Young ? first : _enteredAt)
        < ContentAdmission.Young;
}

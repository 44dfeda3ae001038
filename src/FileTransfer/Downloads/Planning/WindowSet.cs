namespace FileTransfer.Downloads.Planning;

/// <summary>A set of the windows of a file, a bit each: sets of many sources are compared word by word.</summary>
internal sealed class WindowSet(int count)
{
    private readonly ulong[] _words = new ulong[(count + 63) / 64];

    /// <summary>The bits, 64 windows a word.</summary>
    public ReadOnlySpan<ulong> Words => _words;

    public bool Contains(int window) => (_words[window >> 6] & (1UL << window)) != 0;

    public void Add(int window) => _words[window >> 6] |= 1UL << window;

    public void Remove(int window) => _words[window >> 6] &= ~(1UL << window);

    public void Clear() => _words.AsSpan().Clear();
}

namespace FileTransfer.Identity.Hashing;

/// <summary>The state of some BLAKE2b-256 messages of one length that are hashed at once.</summary>
internal unsafe interface IBlake2bState
{
    /// <summary>Messages.</summary>
    static abstract int Count { get; }

    void Start();

    /// <summary>
    /// Takes in one 128-byte block of each message, the blocks <paramref name="stride"/> bytes apart; <paramref name="counted"/> is
    /// the number of bytes with it.
    /// </summary>
    void Compress(byte* first, nint stride, ulong counted, bool last);

    /// <summary>Writes the 32 bytes of the hash of each message whose bit is set in <paramref name="wanted"/> to that message's place.</summary>
    void WriteHashes(uint wanted, byte* hashes);
}

namespace FileTransfer.Identity.Hashing;

/// <summary>What BLAKE2b needs of a vector of 64-bit lanes, so that one body of code serves every width.</summary>
internal unsafe interface ILanes<TVector>
    where TVector : unmanaged
{
    static abstract int Count { get; }

    static abstract TVector Broadcast(ulong value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Xor(TVector left, TVector right);

    static abstract TVector RotateRight32(TVector value);

    static abstract TVector RotateRight24(TVector value);

    static abstract TVector RotateRight16(TVector value);

    static abstract TVector RotateRight63(TVector value);

    /// <summary>Reads 16 little-endian words of one message per lane, the messages <paramref name="stride"/> bytes apart.</summary>
    static abstract void LoadWords(byte* first, nint stride, TVector* words);
}

using System.Numerics;

namespace FileTransfer.Identity.Hashing;

/// <summary>Says of two sets of files whether they are the same: LtHash16 over BLAKE2b.</summary>
/// <remarks>
/// A set is the sum of its files, each a vector of 1024 numbers of 16 bits that its key is expanded to (Lewi, Kim, Maykov and Weis, "Securing
/// Update Propagation with Homomorphic Hashing", 2019). Sums do not depend on an order, grow and shrink file by file and can be added to each other;
/// two sets of one sum that somebody chose would solve a hard problem of lattices, at some 200 bits. An XOR of hashes has none of that.
/// </remarks>
public sealed class SetDigest
{
    private const int Numbers = 1024;

    /// <summary>Bytes of a state.</summary>
    public const int Length = Numbers * sizeof(ushort);

    private const int Parts = Length / Hash256.Length;
    private const int MessageLength = Hash256.Length + 4;

    private readonly ushort[] _sum = new ushort[Numbers];

    /// <summary>Of no file.</summary>
    public SetDigest() { }

    /// <param name="state">As <see cref="ToArray"/> gives it.</param>
    public SetDigest(ReadOnlySpan<byte> state)
    {
        if (state.Length != Length)
        {
            throw new ArgumentException($"A set's state has {Length} bytes, not {state.Length}.", nameof(state));
        }

        Read(state, _sum);
    }

    /// <summary>A file that is not in the set is in it now.</summary>
    public void Add(FileKey key) => AddTo(_sum, Expand(key));

    /// <summary>A file that is in the set is not any more.</summary>
    public void Remove(FileKey key)
    {
        var numbers = Expand(key);
        for (var i = 0; i < Numbers; i++)
        {
            numbers[i] = (ushort)-numbers[i];
        }

        AddTo(_sum, numbers);
    }

    /// <summary>The files of another set, which has none in common with this one, are in it now.</summary>
    public void Add(SetDigest other) => AddTo(_sum, other._sum);

    public byte[] ToArray()
    {
        var state = new byte[Length];
        for (var i = 0; i < Numbers; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(state.AsSpan(i * sizeof(ushort)), _sum[i]);
        }

        return state;
    }

    /// <summary>What is shown of it: equal where the sets are.</summary>
    public Hash256 ToHash() => Blake2b.Hash256(ToArray());

    private static void AddTo(Span<ushort> sum, ReadOnlySpan<ushort> numbers)
    {
        var sums = MemoryMarshal.Cast<ushort, Vector<ushort>>(sum);
        var others = MemoryMarshal.Cast<ushort, Vector<ushort>>(numbers);
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] += others[i];
        }
    }

    /// <summary>The hashes of the key and the numbers from 0 on, one after the other.</summary>
    private static ushort[] Expand(FileKey key)
    {
        var lanes = Blake2bLanes.Count;
        Span<byte> messages = stackalloc byte[Blake2bLanes.MostLanes * Blake2b.BlockLength];
        Span<byte> bytes = stackalloc byte[Length];
        messages.Clear();
        for (var part = 0; part < Parts; part += lanes)
        {
            for (var lane = 0; lane < lanes; lane++)
            {
                var message = messages[(lane * Blake2b.BlockLength)..];
                key.Value.CopyTo(message);
                BinaryPrimitives.WriteInt32LittleEndian(message[Hash256.Length..], part + lane);
            }

            var hashes = bytes[(part * Hash256.Length)..];
            Blake2bLanes.HashPadded(messages, Blake2b.BlockLength, MessageLength, uint.MaxValue >> (32 - lanes), hashes);
        }

        var numbers = new ushort[Numbers];
        Read(bytes, numbers);
        return numbers;
    }

    private static void Read(ReadOnlySpan<byte> state, Span<ushort> numbers)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadUInt16LittleEndian(state[(i * sizeof(ushort))..]);
        }
    }
}

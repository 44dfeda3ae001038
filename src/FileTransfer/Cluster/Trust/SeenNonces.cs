using System.Buffers.Text;

namespace FileTransfer.Cluster.Trust;

/// <summary>The nonces of the last minutes' requests, so that none counts twice. What there is no room for is not remembered, and said.</summary>
/// <param name="most">Of one period.</param>
internal sealed class SeenNonces(int most, TimeProvider time)
{
    /// <summary>Longer than a signature counts, from the earliest clock to the latest one.</summary>
    public static readonly TimeSpan Period = (2 * RequestSignatures.Tolerance) + TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private HashSet<UInt128> _now = [];
    private HashSet<UInt128> _before = [];
    private long _since = time.GetTimestamp();

    /// <returns>Whether it is new; null where no more are taken now.</returns>
    public bool? TryAdd(string nonce)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        Base64Url.DecodeFromChars(nonce, bytes);
        var value = BinaryPrimitives.ReadUInt128LittleEndian(bytes);
        lock (_gate)
        {
            var age = time.GetElapsedTime(_since);
            if (age >= Period)
            {
                (_before, _now) = (age < 2 * Period ? _now : [], []);
                _since = time.GetTimestamp();
            }

            return _now.Contains(value) || _before.Contains(value) ? false
                : _now.Count >= most ? null
                : _now.Add(value);
        }
    }
}

using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

public sealed class ContentFingerprintTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task A_stream_that_comes_in_drops_has_the_fingerprint_of_its_bytes()
    {
        var content = SplitMix64.Bytes(1, (3 * 1024 * 1024) + 17);
        using var drops = new DrippingStream(content, new Random(2));

        (await ContentFingerprint.OfStreamAsync(drops, CancellationToken.None)).ShouldBe(ContentFingerprint.Of(content));
    }

    [Fact]
    public void A_content_appended_in_pieces_of_any_length_has_the_hashes_of_the_whole()
    {
        var content = SplitMix64.Bytes(3, (600 * 1024) + 23);
        var random = new Random(4);
        using var growing = new GrowingChunkHashes();
        for (var at = 0; at < content.Length; )
        {
            var length = Math.Min(content.Length - at, random.Next(0, random.Next(2) == 0 ? 40 : 9000));
            growing.Append(content.AsSpan(at, length));
            at += length;
            growing.Size.ShouldBe(at);
        }

        using var hashes = growing.Complete();
        hashes.Size.ShouldBe(content.Length);
        hashes.FirstMismatch(0, content).ShouldBe(-1);
        hashes.ComputeFingerprint().ShouldBe(ContentFingerprint.Of(content));
    }

    [Fact]
    public async Task Progress_ends_at_the_size_of_the_file()
    {
        await File.WriteAllBytesAsync(_path, SplitMix64.Bytes(5, 2_000_000));
        var reports = new Reports();

        await ContentFingerprint.OfFileAsync(_path, reports, CancellationToken.None);

        reports.Seen.Max().ShouldBe(2_000_000);
        reports.Seen.Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_cancelled_fingerprint_ends()
    {
        await File.WriteAllBytesAsync(_path, SplitMix64.Bytes(6, 5_000_000));
        using var cancelled = new CancellationTokenSource();
        var reports = new Reports { OnReport = cancelled.Cancel };

        await Should.ThrowAsync<OperationCanceledException>(() =>
            ContentFingerprint.OfFileAsync(_path, reports, cancelled.Token)
        );
        using var stream = new DrippingStream(new byte[5_000_000], new Random(7));
        await Should.ThrowAsync<OperationCanceledException>(() => ContentFingerprint.OfStreamAsync(stream, cancelled.Token));
    }

    [Fact]
    public async Task What_the_kernel_makes_up_on_reading_has_the_fingerprint_of_its_bytes()
    {
        const string Path = "/proc/version";

        (await ContentFingerprint.OfFileAsync(Path, CancellationToken.None)).ShouldBe(
            ContentFingerprint.Of(await File.ReadAllBytesAsync(Path))
        );
    }

    [Fact]
    public async Task A_file_that_shrinks_while_it_is_read_has_no_fingerprint()
    {
        await File.WriteAllBytesAsync(_path, SplitMix64.Bytes(8, 40_000_000));
        var reports = new Reports
        {
            OnReport = () =>
            {
                using var file = File.OpenHandle(_path, access: FileAccess.Write, share: FileShare.ReadWrite);
                RandomAccess.SetLength(file, 300_000);
            },
        };

        var refused = await Should.ThrowAsync<IOException>(() =>
            ContentFingerprint.OfFileAsync(_path, reports, CancellationToken.None)
        );
        refused.Message.ShouldContain(_path);
    }

    private sealed class Reports : IProgress<long>
    {
        private readonly Lock _lock = new();

        public List<long> Seen { get; } = [];

        public Action? OnReport { get; init; }

        public void Report(long value)
        {
            lock (_lock)
            {
                Seen.Add(value);
                OnReport?.Invoke();
            }
        }
    }

    private sealed class DrippingStream(byte[] content, Random random) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 5000))], cancellationToken);
    }
}

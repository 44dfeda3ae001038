using BenchmarkDotNet.Attributes;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Benchmarks.Identity;

/// <summary>The fingerprint of a file in the page cache.</summary>
[MemoryDiagnoser]
public class FingerprintOfFile
{
    private string _path = string.Empty;

    [Params(8, 64 * 1024, 256 * 1024)]
    public int Kibibytes { get; set; }

    [GlobalSetup]
    public void Write()
    {
        var content = new byte[Kibibytes * 1024];
        new Random(3).NextBytes(content);
        _path = Path.GetTempFileName();
        File.WriteAllBytes(_path, content);
    }

    [GlobalCleanup]
    public void Delete() => File.Delete(_path);

    [Benchmark]
    public Task<Fingerprint> OfFile() => ContentFingerprint.OfFileAsync(_path, CancellationToken.None);
}

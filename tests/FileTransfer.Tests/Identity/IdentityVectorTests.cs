using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity;

public sealed class IdentityVectorTests
{
    public static TheoryData<int> Fingerprints => [.. Enumerable.Range(0, IdentityVectors.All.Fingerprints.Count)];

    public static TheoryData<int> FileKeys => [.. Enumerable.Range(0, IdentityVectors.All.FileKeys.Count)];

    [Theory]
    [MemberData(nameof(Fingerprints))]
    public void A_content_in_memory_has_the_fingerprint_of_its_vector(int index)
    {
        var vector = IdentityVectors.All.Fingerprints[index];

        ContentFingerprint.Of(vector.Content()).ToString().ShouldBe(vector.Fingerprint, vector.ToString());
    }

    [Theory]
    [MemberData(nameof(Fingerprints))]
    public async Task A_stream_and_a_file_have_the_fingerprint_of_their_vector(int index)
    {
        var vector = IdentityVectors.All.Fingerprints[index];
        var content = vector.Content();
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content);
            using var stream = new MemoryStream(content);

            (await ContentFingerprint.OfFileAsync(path, CancellationToken.None)).ToString().ShouldBe(vector.Fingerprint);
            (await ContentFingerprint.OfStreamAsync(stream, CancellationToken.None)).ToString().ShouldBe(vector.Fingerprint);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [MemberData(nameof(FileKeys))]
    public void Metadata_has_the_encoding_and_the_file_key_of_its_vector(int index)
    {
        var vector = IdentityVectors.All.FileKeys[index];
        ByteString.TryParseHex(vector.Owner, out var owner).ShouldBeTrue();
        ByteString.TryParseHex(vector.Bucket, out var bucket).ShouldBeTrue();
        Fingerprint.TryParse(vector.Fingerprint, out var fingerprint).ShouldBeTrue();

        var metadata = new FileMetadata(
            owner,
            bucket,
            ByteString.FromUtf8(vector.Location),
            ulong.Parse(vector.Size),
            fingerprint
        );

        // Only the vector with the longest location comes without its encoding.
        if (vector.Scale is not null)
        {
            $"0x{Convert.ToHexStringLower(metadata.Encode())}".ShouldBe(vector.Scale);
        }

        metadata.ComputeKey().ToString().ShouldBe(vector.FileKey);
    }
}

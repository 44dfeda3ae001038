using System.Buffers.Binary;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Tests.Identity.Hashing;

public sealed class SetDigestTests
{
    [Fact]
    public void A_set_is_the_same_in_any_order_and_however_it_came_about()
    {
        var keys = Keys(40);
        var forth = Of(keys);
        var back = Of([.. keys.Reverse()]);
        var (first, second) = (Of(keys[..15]), Of(keys[15..]));
        first.Add(second);
        var detour = Of([.. keys, .. Keys(60)[40..]]);
        foreach (var key in Keys(60)[40..])
        {
            detour.Remove(key);
        }

        back.ToHash().ShouldBe(forth.ToHash());
        first.ToHash().ShouldBe(forth.ToHash());
        detour.ToHash().ShouldBe(forth.ToHash());
        new SetDigest(forth.ToArray()).ToHash().ShouldBe(forth.ToHash());
    }

    [Fact]
    public void Sets_that_differ_in_one_file_have_other_digests()
    {
        var keys = Keys(40);

        Of(keys[1..]).ToHash().ShouldNotBe(Of(keys).ToHash());
        Of([.. keys[1..], Keys(41)[40]]).ToHash().ShouldNotBe(Of(keys).ToHash());
        Of(keys[..1]).ToHash().ShouldNotBe(new SetDigest().ToHash());
    }

    [Fact]
    public void A_set_of_one_file_is_the_expansion_of_its_key_as_the_protocol_has_it()
    {
        var key = Keys(1)[0];
        var expected = new byte[2048];
        for (var i = 0; i < 64; i++)
        {
            var message = new byte[36];
            key.ToArray().CopyTo(message, 0);
            BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(32), i);
            PlainBlake2b.Hash256(message).CopyTo(expected, i * 32);
        }

        Of([key]).ToArray().ShouldBe(expected);
        new SetDigest().ToArray().ShouldBe(new byte[2048]);
    }

    private static SetDigest Of(FileKey[] keys)
    {
        var digest = new SetDigest();
        foreach (var key in keys)
        {
            digest.Add(key);
        }

        return digest;
    }

    private static FileKey[] Keys(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new FileKey(PlainBlake2b.Hash256(BitConverter.GetBytes(i))))];
}

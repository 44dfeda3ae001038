using FileTransfer.Postgres;

namespace FileTransfer.Tests.Postgres;

public sealed class AdvisoryLockKeyTests
{
    [Theory]
    [InlineData(0, 0u, 0u, "0/0")]
    [InlineData(-1, uint.MaxValue, uint.MaxValue, "4294967295/4294967295")]
    [InlineData(0x1_0000_0002, 1u, 2u, "1/2")]
    [InlineData(long.MinValue, 0x8000_0000u, 0u, "2147483648/0")]
    public void Its_halves_are_those_that_the_servers_list_of_locks_shows(long value, uint high, uint low, string text)
    {
        var key = new AdvisoryLockKey(value);

        (key.High, key.Low, key.ToString()).ShouldBe((high, low, text));
    }

    // Another value would lock out nobody of an older release.
    [Fact]
    public void A_name_always_stands_for_the_same_key() => AdvisoryLockKey.FromName("leader").Value.ShouldBe(5574161153772379146);
}

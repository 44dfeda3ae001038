using FileTransfer.Uploads.Ingest;

namespace FileTransfer.Tests.Uploads.Ingest;

public sealed class NumberedNameTests
{
    [Theory]
    [InlineData("seg-0042.wal.sealed", "seg-#.wal.sealed", 42, true)]
    [InlineData("eu-west-2-shard-7-000000123.wal", "eu-west-2-shard-7-#.wal", 123, true)]
    [InlineData("IMG_2034.jpg", "IMG_#.jpg", 2034, false)]
    [InlineData("7", "#", 7, false)]
    [InlineData("99999999999999999999999", "99999#", 999999999999999999, false)]
    [InlineData("0000000200000001000000FF.wal.sealed", "00000002##.wal.sealed", 511, true)]
    [InlineData("000000020000000200000000.wal.sealed", "00000002##.wal.sealed", 512, true)]
    public void The_last_number_of_a_name_is_its_place_in_a_series(string name, string series, long number, bool isPadded) =>
        NumberedName.Of(name).ShouldBe(new NumberedName(series, number, isPadded));

    [Fact]
    public void A_name_without_digits_is_in_no_series() => NumberedName.Of("backup.tar").ShouldBeNull();

    [Fact]
    public void The_number_of_a_segment_is_written_as_in_its_name() =>
        NumberedName.NumberOf("00000002##.wal", 511).ShouldBe("00000001000000FF");
}

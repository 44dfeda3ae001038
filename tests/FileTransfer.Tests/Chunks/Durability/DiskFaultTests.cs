using FileTransfer.Chunks.Durability;

namespace FileTransfer.Tests.Chunks.Durability;

public sealed class DiskFaultTests
{
    [Fact]
    public void What_a_disk_does_is_said_in_words_for_whoever_is_to_mend_it()
    {
        Said(new IOException("x", 5)).ShouldContain("input/output errors");
        Said(new IOException("x", 30)).ShouldContain("read-only");
        Said(new IOException("x", 20)).ShouldContain("a file is where a folder belongs");
        Said(new IOException("x", 21)).ShouldContain("a folder is where a file belongs");
        Said(new DirectoryNotFoundException("x")).ShouldContain("a folder is missing");
        Said(new UnauthorizedAccessException("x")).ShouldContain("not writable");

        string Said(Exception fault)
        {
            DiskFault.IsOfDisk(fault).ShouldBeTrue();
            return DiskFault.Describe(fault);
        }
    }

    [Fact]
    public void A_failing_disk_is_told_from_a_connection_that_broke()
    {
        DiskFault.IsFailingDisk(new IOException("x", 5)).ShouldBeTrue();
        DiskFault.IsFailingDisk(new IOException("Broken pipe", 32)).ShouldBeFalse();
    }
}

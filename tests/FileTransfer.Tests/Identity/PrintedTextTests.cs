using FileTransfer.Identity;

namespace FileTransfer.Tests.Identity;

public sealed class PrintedTextTests
{
    [Fact]
    public void What_is_several_lines_stays_so_and_keeps_its_columns_and_what_is_one_is_one()
    {
        PrintedText.Lines("a\tb\nc\r\u001b").ShouldBe("a\tb\nc\\x0d\\x1b");
        PrintedText.Line("a\tb\nc\r\u001b\u202e").ShouldBe(@"a\x09b\x0ac\x0d\x1b\u202e");
        PrintedText.InJson("{\"a\":\"\u202eé\"}").ShouldBe("{\"a\":\"\\u202eé\"}");
    }
}

using FileTransfer.Identity;

namespace FileTransfer.Tests.Identity;

public sealed class NodeIdTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("A-z_0.9")]
    [InlineData("1234567890123456789012345678901234567890123456789012345678901234")]
    public void One_to_64_letters_digits_dots_dashes_and_underscores_are_a_node_id(string text) =>
        NodeId.FromText(text).ShouldNotBeNull().Value.ShouldBe(text);

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void Anything_else_is_none_and_has_a_name_of_its_own_where_a_row_says_it(string text)
    {
        NodeId.FromText(text).ShouldBeNull();
        Should.Throw<ArgumentException>(() => new NodeId(text)).Message.ShouldContain("is not a node id");
        NodeId.OfRow(text).Value.ShouldStartWith("malformed-");
    }
}

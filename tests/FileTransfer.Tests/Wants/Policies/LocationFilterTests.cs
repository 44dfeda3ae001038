using FileTransfer.Identity;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Tests.Wants.Policies;

public sealed class LocationFilterTests
{
    [Theory]
    [InlineData("prefix:utf8:photos/", FilterKind.Prefix, "70686f746f732f")]
    [InlineData("exact:utf8:a:b:c", FilterKind.Exact, "613a623a63")]
    [InlineData("prefix:utf8:", FilterKind.Prefix, "")]
    [InlineData("exact:utf8: ", FilterKind.Exact, "20")]
    [InlineData("prefix:utf8:日本", FilterKind.Prefix, "e697a5e69cac")]
    [InlineData("prefix:hex:00ff", FilterKind.Prefix, "00ff")]
    [InlineData("exact:hex:0x00FF", FilterKind.Exact, "00ff")]
    [InlineData("prefix:hex:", FilterKind.Prefix, "")]
    public void A_text_form_is_read(string text, FilterKind kind, string hex)
    {
        LocationFilter.TryParse(text, out var filter, out _).ShouldBeTrue();

        filter!.Kind.ShouldBe(kind);
        Convert.ToHexStringLower(filter.Value.Span).ShouldBe(hex);
    }

    [Theory]
    [InlineData("prefix:utf8:photos/")]
    [InlineData("exact:utf8:a:b:c")]
    [InlineData("prefix:utf8:")]
    [InlineData("prefix:utf8:日本")]
    [InlineData("exact:hex:00ff")]
    [InlineData("prefix:hex:c3")]
    public void It_is_written_as_it_is_read(string text)
    {
        LocationFilter.TryParse(text, out var filter, out _).ShouldBeTrue();

        filter!.ToString().ShouldBe(text);
    }

    [Theory]
    [InlineData("prefix:utf8:a\nb", "prefix:hex:610a62")]
    [InlineData("exact:utf8:\u001b[2J", "exact:hex:1b5b324a")]
    [InlineData("prefix:hex:616263", "prefix:utf8:abc")]
    [InlineData("prefix:hex:0xABCD", "prefix:hex:abcd")]
    public void Text_that_can_be_shown_is_shown_and_all_else_is_hex(string text, string shown)
    {
        LocationFilter.TryParse(text, out var filter, out _).ShouldBeTrue();

        filter!.ToString().ShouldBe(shown);
        LocationFilter.TryParse(shown, out var again, out _).ShouldBeTrue();
        again.ShouldBe(filter);
    }

    [Theory]
    [InlineData("", "''")]
    [InlineData("photos/", "'photos/'")]
    [InlineData("prefix:photos/", "'prefix:photos/'")]
    [InlineData("suffix:utf8:jpg", "'suffix'")]
    [InlineData("Prefix:utf8:a", "'Prefix'")]
    [InlineData(" prefix:utf8:a", "' prefix'")]
    [InlineData("prefix:utf-8:a", "'utf-8'")]
    [InlineData("prefix:base64:YQ==", "'base64'")]
    [InlineData("prefix:hex:abc", "even number")]
    [InlineData("prefix:hex:zz", "hex digits")]
    [InlineData("exact:utf8:", "empty")]
    [InlineData("exact:hex:", "empty")]
    public void What_is_no_filter_is_refused_with_what_to_write(string text, string named)
    {
        LocationFilter.TryParse(text, out _, out var fault).ShouldBeFalse();

        fault!.ShouldContain(named);
    }

    [Fact]
    public void A_value_longer_than_any_location_is_refused_by_its_length()
    {
        var text = "prefix:utf8:" + new string('x', FileMetadata.MaxLocationLength + 1);

        LocationFilter.TryParse(text, out _, out var fault).ShouldBeFalse();

        fault!.ShouldContain($"{FileMetadata.MaxLocationLength + 1}");
        fault!.Length.ShouldBeLessThan(300);
    }

    [Fact]
    public void Filters_are_equal_by_what_they_match()
    {
        Parse("prefix:hex:616263").ShouldBe(Parse("prefix:utf8:abc"));
        Parse("exact:utf8:abc").ShouldNotBe(Parse("prefix:utf8:abc"));
    }

    private static LocationFilter Parse(string text) =>
        LocationFilter.TryParse(text, out var filter, out var fault) ? filter : throw new FormatException(fault);
}

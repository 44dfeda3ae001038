using FileTransfer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace FileTransfer.Tests.Http;

public sealed class ConditionalRequestTests
{
    private static readonly EntityTagHeaderValue _current = new("\"abc\"");

    [Theory]
    [InlineData("\"abc\"", 200)]
    [InlineData("*", 200)]
    [InlineData("\"x\", \"abc\"", 200)]
    [InlineData("\"x,y\" ,, \"abc\"", 200)]
    [InlineData("\"x\"", 412)]
    [InlineData("W/\"abc\"", 412)]
    [InlineData("\"ABC\"", 412)]
    [InlineData("abc", 412)]
    [InlineData("", 412)]
    [InlineData("\"x\" \"abc\"", 412)]
    public void If_Match_compares_strongly(string ifMatch, int status) => Status(("If-Match", ifMatch)).ShouldBe(status);

    [Theory]
    [InlineData("\"abc\"", 304)]
    [InlineData("W/\"abc\"", 304)]
    [InlineData("*", 304)]
    [InlineData("\"x\",\"abc\"", 304)]
    [InlineData("\"x,abc\"", 200)]
    [InlineData("\"x\"", 200)]
    [InlineData("abc", 200)]
    [InlineData("w/\"abc\"", 304)]
    [InlineData("\"abc", 200)]
    public void If_None_Match_compares_weakly(string ifNoneMatch, int status) =>
        Status(("If-None-Match", ifNoneMatch)).ShouldBe(status);

    [Theory]
    [InlineData("\"abc\"", 206)]
    [InlineData("W/\"abc\"", 200)]
    [InlineData("\"x\"", 200)]
    [InlineData("abc", 200)]
    [InlineData("Wed, 21 Oct 2026 07:28:00 GMT", 200)]
    [InlineData("\"x\", \"abc\"", 200)]
    public void If_Range_decides_whether_the_range_counts(string ifRange, int status)
    {
        Status(("Range", "bytes=0-0"), ("If-Range", ifRange)).ShouldBe(status);
        Status(("If-Range", ifRange)).ShouldBe(200);
    }

    [Fact]
    public void A_false_If_Range_turns_a_range_beyond_the_end_into_the_whole()
    {
        Status(("Range", "bytes=5000-"), ("If-Range", "\"x\"")).ShouldBe(200);
        Status(("Range", "bytes=5000-"), ("If-Range", "\"abc\"")).ShouldBe(416);
    }

    [Fact]
    public void Preconditions_come_before_the_range_and_If_Match_before_all()
    {
        Status(("If-Match", "\"x\""), ("If-None-Match", "\"abc\""), ("Range", "bytes=0-0")).ShouldBe(412);
        Status(("If-Match", "\"abc\""), ("If-None-Match", "\"abc\""), ("Range", "bytes=0-0")).ShouldBe(304);
        Status(("If-None-Match", "\"abc\""), ("Range", "bytes=5000-")).ShouldBe(304);
        Status(("If-Match", "\"abc\""), ("If-None-Match", "\"x\""), ("Range", "bytes=0-0")).ShouldBe(206);
    }

    [Fact]
    public void Dates_are_ignored_because_there_is_no_modification_date()
    {
        Status(("If-Modified-Since", "Wed, 21 Oct 2099 07:28:00 GMT")).ShouldBe(200);
        Status(("If-Unmodified-Since", "Wed, 21 Oct 1999 07:28:00 GMT")).ShouldBe(200);
        Status(("If-Unmodified-Since", "Wed, 21 Oct 1999 07:28:00 GMT"), ("Range", "bytes=0-0")).ShouldBe(206);
    }

    [Fact]
    public void HEAD_ignores_the_range_and_obeys_the_preconditions()
    {
        Answer("HEAD", ("Range", "bytes=0-0")).ShouldBe(new ConditionalAnswer(200, new ByteRange(0, 1000)));
        Answer("HEAD", ("Range", "bytes=5000-")).StatusCode.ShouldBe(200);
        Answer("HEAD", ("If-None-Match", "*")).StatusCode.ShouldBe(304);
        Answer("HEAD", ("If-Match", "\"x\"")).StatusCode.ShouldBe(412);
    }

    [Fact]
    public void Two_Range_lines_mean_the_whole()
    {
        var headers = new HeaderDictionary { ["Range"] = new(["bytes=0-0", "bytes=2-3"]) };
        ConditionalRequest.Evaluate("GET", headers, _current, 1000).StatusCode.ShouldBe(200);
    }

    [Fact]
    public void A_tag_may_be_on_any_of_several_lines()
    {
        var headers = new HeaderDictionary { ["If-None-Match"] = new(["\"x\"", "\"abc\""]) };
        ConditionalRequest.Evaluate("GET", headers, _current, 1000).StatusCode.ShouldBe(304);
    }

    private static int Status(params (string Name, string Value)[] headers) => Answer("GET", headers).StatusCode;

    private static ConditionalAnswer Answer(string method, params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            dictionary[name] = value;
        }

        return ConditionalRequest.Evaluate(method, dictionary, _current, 1000);
    }
}

using System.Text;
using FileTransfer.Uploads;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Uploads;

public sealed class FormBodyTests
{
    [Theory]
    [InlineData("application/x-www-form-urlencoded", "name=value", true)]
    [InlineData("Application/X-WWW-Form-UrlEncoded; charset=utf-8", "name=", true)]
    [InlineData("application/x-www-form-urlencoded", "a+b%20c=1&d=2", true)]
    [InlineData("application/x-www-form-urlencoded", "=value", false)]
    [InlineData("application/x-www-form-urlencoded", "a text without one", false)]
    [InlineData("application/x-www-form-urlencoded", "{\"a\"=1}", false)]
    [InlineData("application/x-www-form-urlencoded", "", false)]
    [InlineData("application/octet-stream", "name=value", false)]
    [InlineData(null, "name=value", false)]
    public async Task A_form_is_what_says_so_and_begins_like_one(string? type, string body, bool isForm)
    {
        var request = new DefaultHttpContext().Request;
        request.ContentType = type;
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));

        (await FormBody.IsFormAsync(request, default)).ShouldBe(isForm);

        using var rest = new StreamReader(request.BodyReader.AsStream());
        (await rest.ReadToEndAsync()).ShouldBe(body, "nothing of it is consumed");
    }
}

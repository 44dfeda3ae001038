using FileTransfer.Feed.Changes;

namespace FileTransfer.Tests.Feed.Changes;

public sealed class WebhookPlaceTests
{
    [Fact]
    public void The_database_is_not_told_what_is_secret_of_a_webhooks_url()
    {
        var signed = Webhooks.PlaceOf(new Uri("https://u:s3cr3t@hooks.example/files?sig=s3cr3t"));

        signed.ShouldStartWith("https://hooks.example/files ");
        signed.ShouldNotContain("s3cr3t");
        Webhooks.PlaceOf(new Uri("https://hooks.example/files?sig=another")).ShouldNotBe(signed);
        Webhooks.PlaceOf(new Uri("https://hooks.example/files")).ShouldBe("https://hooks.example/files");
    }
}

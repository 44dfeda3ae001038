using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Push;

/// <summary>What a follower takes of what is shipped to it, and what it refuses whole.</summary>
public sealed class ShipmentTests
{
    [Thorough]
    [Fact]
    public async Task A_shipment_is_refused_whole_when_anything_of_it_is_wrong_and_is_stored_when_it_is_acknowledged()
    {
        await using var clusters = new TwoClusters();
        var down = await clusters.StartAsync("down", ("FileTransfer__Sync__AcceptFrom__0", "up"));
        var up = new PlainShipment("up");
        var first = PlainFile.Random(3000);
        var (bin, second) = (PlainShipment.BinOf(first), OfBin(PlainShipment.BinOf(first)));
        using (var foreign = await new PlainShipment("other").GreetAsync(down, _ => 0))
        {
            await foreign.ShouldBeProblemAsync(403, "cluster-not-accepted", "other", "AcceptFrom");
        }

        using (var foreign = await PlainShipment.SendAsync(down, new PlainShipment("other").Of([first], [1], [first.Content])))
        {
            await foreign.ShouldBeProblemAsync(403, "cluster-not-accepted", "other");
        }

        using (var early = await PlainShipment.SendAsync(down, up.Of([first], [1], [first.Content])))
        {
            await early.ShouldBeProblemAsync(409, "shipment-out-of-order");
        }

        (await up.GreetAsync(down, one => one == bin ? 2 : 0)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var wrong = first.Content.ToArray();
        wrong[17] ^= 1;
        var whole = up.Of([first, second], [1, 2], [first.Content, second.Content]);
        await RefusedAsync(up.Of([first, second], [1, 3], [first.Content, second.Content]), 422, "not dense");
        await RefusedAsync(up.Of([second], [2], [second.Content]), 409, "does not follow");
        await RefusedAsync(up.Of([first, second], [1, 2], [wrong, second.Content]), 422, "another fingerprint");
        await RefusedAsync(up.Of([first, second], [1, 2], [first.Content[1..], second.Content]), 422, "does not belong");
        await RefusedAsync(whole[..^1], 422, "ends before its end");
        await RefusedAsync([.. whole, 0], 422, "follows its last content");
        await RefusedAsync(whole[..3], 422, "ends before its end");
        foreach (var cut in new[] { 2, 300, whole.Length - first.Content.Length - 100, whole.Length - 1 })
        {
            using var connection = await RawConnection.OpenAsync(down);
            await connection.SendHeadAsync(
                "POST",
                "/v1/shipments",
                ("Content-Type", "application/vnd.filetransfer.shipment"),
                ("Content-Length", $"{whole.Length}")
            );
            await connection.SendAsync(whole[..cut]);
        }

        (await AppliedAsync()).ShouldBe(0);
        (await down.StateOfAsync(first.Key)).ShouldBeNull();

        // When it is acknowledged it is stored: nothing is waited for.
        (await TakenAsync(whole))
            .GetProperty("applied")
            .GetInt64()
            .ShouldBe(2);

        (await down.StateOfAsync(first.Key)).ShouldBe("stored");
        await second.ShouldBeStoredAsync(down);
        await RefusedAsync(whole, 409, "does not follow");
        (await AppliedAsync()).ShouldBe(2);

        // A bin that is compared is narrowed to the ranges of keys in which it differs; before these are told it takes no mutations.
        var third = OfBin(bin, [PlainShipment.PrefixOf(first), PlainShipment.PrefixOf(second)]);
        var differing = await TakenAsync(up.RangesOf([first, second, third], cursor: 3));
        Differing(differing).ShouldBe([PlainShipment.PrefixOf(third)]);
        differing.GetProperty("comparing").GetBoolean().ShouldBeTrue();
        await RefusedAsync(up.Of([third], [3], [third.Content]), 409, "does not follow");
        await RefusedAsync(up.FilesOf([third, first], cursor: 3), 422, "asked for files of");
        var told = await TakenAsync(up.FilesOf([third], cursor: 3));
        (told.GetProperty("applied").GetInt64(), told.GetProperty("comparing").GetBoolean()).ShouldBe((3, false));
        (await down.StateOfAsync(third.Key)).ShouldNotBeNull();
        var same = await TakenAsync(up.RangesOf([first, second, third], cursor: 3));
        Differing(same).ShouldBeEmpty();
        (same.GetProperty("applied").GetInt64(), same.GetProperty("comparing").GetBoolean()).ShouldBe((3, false));
        same.GetProperty("digest").GetString().ShouldBe(told.GetProperty("digest").GetString());

        async Task RefusedAsync(byte[] shipment, int status, string words)
        {
            using var answer = await PlainShipment.SendAsync(down, shipment);
            await answer.ShouldBeProblemAsync(status, status == 409 ? "shipment-out-of-order" : "shipment-invalid", words);
        }

        async Task<JsonElement> TakenAsync(byte[] shipment)
        {
            using var answer = await PlainShipment.SendAsync(down, shipment);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
            return await answer.Content.ReadFromJsonAsync<JsonElement>();
        }

        async Task<long> AppliedAsync()
        {
            using var answer = await up.GreetAsync(down, one => one == bin ? 2 : 0);
            return (await answer.Content.ReadFromJsonAsync<JsonElement>())
                .GetProperty("bins")[bin]
                .GetProperty("applied")
                .GetInt64();
        }
    }

    private static IEnumerable<string?> Differing(JsonElement position) =>
        position.GetProperty("differing").EnumerateArray().Select(prefix => prefix.GetString());

    /// <param name="apart">Not among keys that begin so.</param>
    private static PlainFile OfBin(int bin, params string[] apart)
    {
        while (true)
        {
            var file = PlainFile.Random(5000);
            if (PlainShipment.BinOf(file) == bin && !apart.Contains(PlainShipment.PrefixOf(file)))
            {
                return file;
            }
        }
    }
}

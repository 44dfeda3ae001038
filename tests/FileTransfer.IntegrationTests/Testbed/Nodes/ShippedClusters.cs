using System.Net.Http.Json;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What tests ask of a leader that ships.</summary>
internal static class ShippedClusters
{
    public static async Task ShipToAsync(this NodeProcess leader, string name, Uri url, bool paused = false)
    {
        using var answer = await leader.Http.PutAsJsonAsync($"/v1/followers/{name}", new { url, paused });
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until a follower is in a state, and returns what the leader says of it.</summary>
    public static async Task<JsonElement> FollowerIsAsync(this NodeProcess leader, string name, string state)
    {
        JsonElement said = default;
        try
        {
            await Eventually.HoldsAsync(
                async () =>
                {
                    said = (await leader.GetJsonAsync("/v1/followers"))
                        .GetProperty("followers")
                        .EnumerateArray()
                        .Single(one => one.GetProperty("name").GetString() == name);
                    return said.GetProperty("state").GetString() == state;
                },
                $"{name} is {state}"
            );
        }
        catch (ShouldAssertException missing)
        {
            throw new ShouldAssertException($"{missing.Message}\n{said}", missing);
        }

        return said;
    }
}

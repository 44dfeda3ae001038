using System.Diagnostics;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Waits for a fact, not for a time.</summary>
public static class Eventually
{
    /// <param name="within">Two minutes where nothing is said: many times what it takes, for a machine that is busy with other tests.</param>
    public static async Task HoldsAsync(Func<Task<bool>> fact, string what, TimeSpan? within = null)
    {
        var clock = Stopwatch.StartNew();
        var limit = within ?? TimeSpan.FromMinutes(2);
        Exception? last = null;
        while (clock.Elapsed < limit)
        {
            try
            {
                if (await fact())
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException or JsonException)
            {
                last = e;
            }

            await Task.Delay(50);
        }

        throw new ShouldAssertException($"Not so within {limit.TotalSeconds:0} s: {what}. {last?.Message}");
    }

    /// <summary>Waits until a node has logged this; what it logged last is told where it does not.</summary>
    public static async Task SaysAsync(this NodeProcess node, string text)
    {
        try
        {
            await HoldsAsync(
                () => Task.FromResult(node.Log.Contains(text, StringComparison.Ordinal)),
                $"its log says \"{text}\""
            );
        }
        catch (ShouldAssertException missing)
        {
            throw new ShouldAssertException(
                $"{missing.Message}\n{string.Join('\n', node.Log.Split('\n').TakeLast(40))}",
                missing
            );
        }
    }
}

using System.Diagnostics;

namespace FileTransfer.Tests;

/// <summary>Waits for a fact that another thread or process brings about, not for a time.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<bool> fact, Func<string> what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!fact())
        {
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(30))
            {
                throw new ShouldAssertException($"Not so within 30 s: {what()}");
            }

            await Task.Delay(5);
        }
    }
}

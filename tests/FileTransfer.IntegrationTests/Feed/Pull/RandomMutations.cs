using System.Collections.Concurrent;
using System.Net;
using System.Text;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Adds, removes and adds files again at random, at whichever node of the upstream leads, each until it is done.</summary>
internal sealed class RandomMutations(TroubledLink scene, int files)
{
    private const int Workers = 8;

    private readonly ConcurrentDictionary<string, int> _adds = new();
    private int _done;
    private int _there;

    public int Done => _done;

    /// <summary>Files that are there in the end.</summary>
    public int There => _there;

    public int AddsOf(string key) => _adds.GetValueOrDefault(key);

    public Task RunAsync(int mutations) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(i => WorkAsync(new Random(i), mutations / Workers)));

    private async Task WorkAsync(Random random, int mutations)
    {
        var own = Enumerable.Range(0, files / Workers).Select(_ => PlainFile.Random(random.Next(1, 9000))).ToList();
        var there = new HashSet<PlainFile>();
        for (var i = 0; i < mutations; i++)
        {
            var file = own[random.Next(own.Count)];
            if (there.Remove(file))
            {
                await UntilDoneAsync(
                    node => node.DeleteAsync($"/v1/files/{file.Key}"),
                    status => status is HttpStatusCode.NoContent or HttpStatusCode.NotFound
                );
            }
            else
            {
                there.Add(file);
                _adds.AddOrUpdate(file.Key, 1, (_, adds) => adds + 1);
                var path =
                    $"/v1/files?owner={PlainFile.Hex(file.Owner)}&bucket={PlainFile.Hex(file.Bucket)}&location={Encoding.UTF8.GetString(file.Location)}";
                await UntilDoneAsync(
                    node => node.PostAsync(path, new ByteArrayContent(file.Content)),
                    status => status is HttpStatusCode.OK or HttpStatusCode.Created
                );
            }

            Interlocked.Increment(ref _done);
        }

        Interlocked.Add(ref _there, there.Count);
    }

    private async Task UntilDoneAsync(Func<HttpClient, Task<HttpResponseMessage>> askAsync, Func<HttpStatusCode, bool> isDone) =>
        await Eventually.HoldsAsync(
            async () =>
            {
                foreach (var node in scene.Ups.Where(node => !node.HasExited))
                {
                    using var answer = await askAsync(node.Http);
                    if (isDone(answer.StatusCode))
                    {
                        return true;
                    }
                }

                return false;
            },
            "the mutation is done",
            TimeSpan.FromMinutes(2)
        );
}

using System.Net;
using FileTransfer.IntegrationTests.Testbed.Disks;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>The files that a cluster must have, and those that were removed, whatever becomes of its catalog.</summary>
internal sealed class KeptFiles(TestCluster cluster)
{
    private readonly Dictionary<string, byte[]> _expected = [];
    private readonly List<string> _removed = [];
    private int _size = 3000;

    /// <summary>The keys of those that are there.</summary>
    public IReadOnlyCollection<string> Keys => _expected.Keys;

    /// <summary>Some of both kinds.</summary>
    public async Task FillAsync(NodeProcess leader, int files)
    {
        for (var i = 0; i < files; i++)
        {
            await PutAsync(leader, i % 4 == 0 ? 100_000 : 0);
        }
    }

    /// <summary>One of a size of its own.</summary>
    public async Task<string> PutAsync(NodeProcess leader, int more = 0)
    {
        var content = PlainFile.RandomBytes(++_size + more);
        var key = await leader.PutAsync(content, $"file {_size}");
        _expected.Add(key, content);
        return key;
    }

    public async Task RemoveAsync(NodeProcess leader, string key)
    {
        using var answer = await leader.Http.DeleteAsync($"/v1/files/{key}");
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        _expected.Remove(key);
        _removed.Add(key);
    }

    /// <summary>All are at each node, byte for byte, and none that was removed.</summary>
    public async Task AreAllAtAsync(params NodeProcess[] nodes)
    {
        foreach (var node in nodes)
        {
            foreach (var (key, content) in _expected)
            {
                await TestCluster.StoredAsync(node, key);
                (await node.Http.GetByteArrayAsync($"/v1/files/{key}/content")).ShouldBe(content);
            }

            foreach (var key in _removed)
            {
                await Eventually.HoldsAsync(
                    async () => ((await node.StateOfAsync(key)) ?? "absent") == "absent",
                    $"{key}, which was removed, is not at {node.Id}"
                );
            }
        }
    }

    /// <summary>The contents in the folders, each with what identifies its bytes from the first one on.</summary>
    public IReadOnlyList<string> Contents(params string[] nodes) =>
        [.. nodes.SelectMany(node => StoredOnDisk.ContentsIn(cluster.FolderOf(node)).Select(line => $"{node} {line}"))];
}

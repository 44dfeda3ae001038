using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What a client was told of a file, by the last answer it got.</summary>
internal enum ClientKnowledge
{
    /// <summary>An upload was begun; whether it was taken is not known.</summary>
    Sent,
    Stored,

    /// <summary>A removal was asked for; whether it was made is not known.</summary>
    RemovalSent,
    Removed,
}

/// <summary>Clients that upload and remove files, and remember what they were told.</summary>
/// <remarks>Uploads come raw and framed, some in two halves; some files share a content.</remarks>
internal sealed class UploadLoad(int seed)
{
    private readonly ConcurrentDictionary<TestFile, ClientKnowledge> _known = new();
    private readonly ConcurrentDictionary<TestFile, (int Size, int Seed)> _madeOf = new();
    private readonly ConcurrentDictionary<TestFile, bool> _busy = new();
    private int _confirmed;
    private int _number = seed * 100_000;

    /// <summary>So many files are sent, and no more; raise it to go on.</summary>
    public int Limit { get; set; }

    /// <summary>Answers that a request was done.</summary>
    public int Confirmed => Volatile.Read(ref _confirmed);

    public IReadOnlyDictionary<TestFile, ClientKnowledge> Known => _known;

    /// <summary>Sends requests to a node until it is told to stop; a failing request is no fault, only not an answer.</summary>
    public Task RunAsync(Func<NodeProcess?> node, int clients, CancellationToken stop) =>
        Task.WhenAll(
            Enumerable.Range(0, clients).Select(client => Task.Run(() => RunAsync(node, new Random(seed + client), stop)))
        );

    /// <summary>Everything a client was told is so at this node, judged by what it serves.</summary>
    public async Task HoldsAtAsync(NodeProcess node, TimeSpan within)
    {
        foreach (var (file, knowledge) in _known)
        {
            try
            {
                await Eventually.HoldsAsync(
                    () => HoldsAtAsync(node, file, knowledge),
                    $"{file.Key} of {file.Content.Length} bytes is at {node.Id} as the client was told ({knowledge})",
                    within
                );
            }
            catch (ShouldAssertException exception)
            {
                throw new ShouldAssertException($"{exception.Message}\n{await StateAsync(node, file)}\n{node.Log}", exception);
            }
        }
    }

    private static async Task<bool> HoldsAtAsync(NodeProcess node, TestFile file, ClientKnowledge knowledge)
    {
        using var response = await node.Http.GetAsync($"/v1/files/{file.Key}/content");
        if (response.StatusCode == HttpStatusCode.OK)
        {
            var bytes = await response.Content.ReadAsByteArrayAsync();
            bytes.AsSpan().SequenceEqual(file.Content).ShouldBeTrue($"{node.Id} serves other bytes as {file.Key}");
        }

        return knowledge switch
        {
            ClientKnowledge.Stored => response.StatusCode == HttpStatusCode.OK,
            ClientKnowledge.Removed => response.StatusCode == HttpStatusCode.NotFound,
            _ => true,
        };
    }

    private static async Task<string> StateAsync(NodeProcess node, TestFile file)
    {
        try
        {
            return await node.Http.GetStringAsync($"/v1/files/{file.Key}/explain");
        }
        catch (HttpRequestException exception)
        {
            return exception.Message;
        }
    }

    private async Task RunAsync(Func<NodeProcess?> node, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (_known.Count < Limit && node() is { HasExited: false } running)
                {
                    await SendAsync(running, random, stop);
                }
                else
                {
                    await PauseAsync(stop);
                }
            }
            catch (Exception e)
                when (e is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException)
            {
                // The node was killed, or refused for now.
                await PauseAsync(stop);
            }
        }
    }

    private static async Task PauseAsync(CancellationToken stop) => await Task.WhenAny(Task.Delay(50, stop));

    private async Task SendAsync(NodeProcess node, Random random, CancellationToken stop)
    {
        var stored = random.Next(4) == 0 ? Idle(ClientKnowledge.Stored) : [];
        var unknown = random.Next(3) == 0 ? Idle(ClientKnowledge.Sent) : [];
        var file =
            stored.Count > 5 ? stored[random.Next(stored.Count)]
            : unknown.Count > 0 ? unknown[random.Next(unknown.Count)]
            : Make(random);
        if (!_busy.TryAdd(file, true))
        {
            return;
        }

        try
        {
            var expected = stored.Count > 5 ? ClientKnowledge.Stored : ClientKnowledge.Sent;
            if (_known.GetValueOrDefault(file, ClientKnowledge.Sent) != expected)
            {
                // Another client had it in between.
            }
            else if (stored.Count > 5)
            {
                await RemoveAsync(node, file, stop);
            }
            else if (random.Next(3) == 0)
            {
                await UploadFramedAsync(node, file, random.Next(2) == 0, stop);
            }
            else
            {
                await UploadRawAsync(node, file, stop);
            }
        }
        finally
        {
            _busy.TryRemove(file, out _);
        }
    }

    private List<TestFile> Idle(ClientKnowledge knowledge) =>
        [.. _known.Where(pair => pair.Value == knowledge && !_busy.ContainsKey(pair.Key)).Select(pair => pair.Key)];

    private TestFile Make(Random random)
    {
        var shared = random.Next(6) == 0 ? _madeOf.Values.ElementAtOrDefault(random.Next(Math.Max(1, _madeOf.Count))) : default;
        var madeOf = shared.Size > 0 ? shared : (Size: SizeOf(random), Seed: Interlocked.Increment(ref _number));
        var file = TestFile.Of(madeOf.Size, madeOf.Seed);
        _madeOf[file] = madeOf;
        return file;
    }

    private static int SizeOf(Random random) =>
        random.Next(12) switch
        {
            0 => random.Next(4_200_000, 6_000_000),
            < 4 => random.Next(65_000, 400_000),
            _ => random.Next(1, 20_000),
        };

    private async Task UploadRawAsync(NodeProcess node, TestFile file, CancellationToken stop)
    {
        _known.TryAdd(file, ClientKnowledge.Sent);
        using var body = new ByteArrayContent(file.Content);
        using var response = await node.Http.PostAsync(
            $"/v1/files?owner=0x01&bucket=0x02&location={Uri.EscapeDataString(file.Location)}",
            body,
            stop
        );
        Told(file, response.IsSuccessStatusCode, ClientKnowledge.Stored);
    }

    private async Task UploadFramedAsync(NodeProcess node, TestFile file, bool inHalves, CancellationToken stop)
    {
        _known.TryAdd(file, ClientKnowledge.Sent);
        using var registered = await node.Http.PutAsJsonAsync(
            $"/v1/files/{file.Key}",
            new
            {
                owner = "0x01",
                bucket = "0x02",
                location = file.Location,
                size = file.Content.Length,
                fingerprint = file.Fingerprint.ToString(),
            },
            stop
        );
        registered.EnsureSuccessStatusCode();

        var frames = Frames(file.Content);
        if (inHalves)
        {
            // Cut off on purpose: what was proven of it is kept.
            using var half = new ByteArrayContent(frames[..(frames.Length / 2)]);
            using var cut = await node.Http.PostAsync($"/upload/{file.Key}", half, stop);
        }

        using var body = new ByteArrayContent(frames);
        using var response = await node.Http.PostAsync($"/upload/{file.Key}", body, stop);
        Told(file, response.IsSuccessStatusCode, ClientKnowledge.Stored);
    }

    private async Task RemoveAsync(NodeProcess node, TestFile file, CancellationToken stop)
    {
        if (_known.TryUpdate(file, ClientKnowledge.RemovalSent, ClientKnowledge.Stored))
        {
            using var response = await node.Http.DeleteAsync($"/v1/files/{file.Key}", stop);
            Told(file, response.IsSuccessStatusCode, ClientKnowledge.Removed);
        }
    }

    private void Told(TestFile file, bool isSuccess, ClientKnowledge then)
    {
        if (isSuccess)
        {
            _known[file] = then;
            Interlocked.Increment(ref _confirmed);
            return;
        }

        throw new HttpRequestException("The node refused.");
    }

    private static byte[] Frames(byte[] content)
    {
        const int chunk = 1024;
        var frames = new byte[content.Length + ((content.Length + chunk - 1) / chunk * 8)];
        var to = frames.AsSpan();
        for (var from = 0; from < content.Length; from += chunk)
        {
            var bytes = content.AsSpan(from, Math.Min(chunk, content.Length - from));
            BinaryPrimitives.WriteUInt64LittleEndian(to, (ulong)(from / chunk));
            bytes.CopyTo(to[8..]);
            to = to[(8 + bytes.Length)..];
        }

        return frames;
    }
}

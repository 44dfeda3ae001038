using FileTransfer.Chunks;

namespace FileTransfer.Catalog.Repair;

/// <content>The proof of a content that somebody doubts.</content>
public sealed partial class DamagedContents
{
    /// <summary>Proofs at once: what complaints ask for must not crowd out readers.</summary>
    private readonly SemaphoreSlim _proofs = new(2);

    private readonly ConcurrentDictionary<Fingerprint, Lazy<Task<ContentFinding>>> _examined = new();

    /// <summary>
    /// Proves a content because somebody doubts it, and deals with what is found. Who asks while it is being proven gets the same answer.
    /// </summary>
    /// <param name="fingerprint">The content.</param>
    /// <param name="size">What its file says, for the words of a finding; null where nobody knows.</param>
    /// <param name="doubt">Who doubts it, and why, for the log.</param>
    public Task<ContentFinding> ExamineAsync(
        Fingerprint fingerprint,
        long? size,
        string doubt,
        CancellationToken cancellationToken
    ) =>
        _examined
            .GetOrAdd(fingerprint, _ => new Lazy<Task<ContentFinding>>(() => ProveAsync(fingerprint, size, doubt)))
            .Value.WaitAsync(cancellationToken);

    private async Task<ContentFinding> ProveAsync(Fingerprint fingerprint, long? size, string doubt)
    {
        var stopping = _stopping.Token;
        try
        {
            using var place = await _proofs.EnterAsync(stopping);
            var finding = await store.ProveAsync(fingerprint, size, always: true, proven: null, pace: null, stopping);
            switch (finding)
            {
                case ContentFinding.Damaged { Reason: var reason }:
                    await SetAsideAsync(fingerprint, reason, stopping);
                    break;
                case ContentFinding.Intact { HashesMended: var mended }:
                    var found = mended ? "chunk hashes" : "nothing";
                    Log.Doubted(logger, fingerprint, here, doubt, found);
                    break;
            }

            return finding;
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            // Nobody need be waiting for the answer.
            Log.NotExamined(logger, fault, fingerprint, here, doubt);
            throw;
        }
        finally
        {
            _examined.TryRemove(fingerprint, out _);
        }
    }
}

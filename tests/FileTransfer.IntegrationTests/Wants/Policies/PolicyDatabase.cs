using FileTransfer.Catalog.Replicas;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.Wants.Policies;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>Policies of node b on the real tables; no process. All files are in bucket 02, where <see cref="TestFile"/> puts them.</summary>
internal sealed class PolicyDatabase : IAsyncDisposable
{
    private PolicyDatabase(QueueDatabase queue)
    {
        Queue = queue;
        Policies = new NodePolicies(queue.Database, queue.Node);
        Review = new PolicyReview(queue.Database, new ReplicaChanges(), queue.Node);
        Missing = new MissingFiles(queue.Database, queue.Node);
    }

    public static ByteString Bucket { get; } = new([2]);

    public QueueDatabase Queue { get; }

    public NodePolicies Policies { get; }

    public PolicyReview Review { get; }

    public MissingFiles Missing { get; }

    public static async Task<PolicyDatabase> CreateAsync()
    {
        var db = new PolicyDatabase(await QueueDatabase.CreateAsync());
        await db.SeenAsync("a");
        await db.SeenAsync("b");
        return db;
    }

    public static Policy Policy(string kind, params string[] filters) =>
        FileTransfer.Wants.Policies.Policy.TryParse(kind, filters, out var policy, out var fault)
            ? policy
            : throw new FormatException(fault);

    /// <summary>The node was heard of so long ago.</summary>
    public Task SeenAsync(string node, int secondsAgo = 0) =>
        new ForgedNode(node) { HeardOfBefore = TimeSpan.FromSeconds(secondsAgo) }.AddAsync(Queue.Test);

    /// <summary>A file that node a has stored, with a replica at node b in the state, or none.</summary>
    public async Task<TestFile> FileAsync(ReplicaState? atB, int epoch = 5, bool pinned = false)
    {
        var file = TestFile.Of(10);
        await file.AddAsync(Queue.Test, "a");
        if (atB is { } state)
        {
            await new ForgedReplica("b", state) { Epoch = epoch, IsPinned = pinned }.AddAsync(Queue.Test, file);
        }

        return file;
    }

    /// <summary>Files without a content, nowhere stored, as a feed of that length would leave them.</summary>
    public Task ManyFilesAsync(int count) =>
        ExecuteAsync(
            $"""
            INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state)
            SELECT sha256(n::text::bytea), '\x01', '\x02', convert_to('file ' || n, 'UTF8'), 10, sha256(n::text::bytea), 'added'
            FROM generate_series(1, {count}) n;
            ANALYZE filetransfer.files
            """
        );

    public async Task IntendAsync(TestFile file, bool open = true) =>
        await ExecuteAsync(
            $"""
            INSERT INTO filetransfer.intents (intent_id, node_id, file_key, ended_at, outcome)
            VALUES (gen_random_uuid(), 'b', {file.KeySql}, {(open ? "NULL, NULL" : "now(), 'withdrawn'")})
            """
        );

    /// <summary>Sets the policy and makes the replicas follow it.</summary>
    public async Task<PolicyEffect> FollowAsync(Policy policy, bool prunes = false)
    {
        var written = await Policies.SetAsync(Bucket, policy, prunes, default);
        var effect = await Review.RunAsync(Bucket, prunes, default);
        (await Policies.ReviewedAsync(written, default)).ShouldBeTrue();
        return effect;
    }

    public Task<string?> StateAsync(TestFile file) => Queue.StateAsync(file);

    public Task<long> CountAsync(string where) =>
        Queue.Test.ScalarAsync<long>($"SELECT count(*) FROM filetransfer.replicas WHERE {where}");

    public Task ExecuteAsync(string sql) => Queue.Test.ExecuteAsync(sql);

    public ValueTask DisposeAsync() => Queue.DisposeAsync();
}

internal static class PolicyReviewRuns
{
    /// <summary>Every step of a review, one after the other.</summary>
    public static async Task<PolicyEffect> RunAsync(
        this PolicyReview review,
        ByteString bucket,
        bool prunes,
        CancellationToken cancellationToken
    )
    {
        var effect = PolicyEffect.None;
        for (ByteString? to = default(ByteString); to is { } from; )
        {
            var policy = PolicyRecord.None(bucket) with { Prunes = prunes, ReviewedTo = from };
            (var step, to) = await review.StepAsync(policy, cancellationToken);
            effect = effect.And(step);
        }

        return effect;
    }
}

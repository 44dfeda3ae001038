using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.Wants.Policies;

namespace FileTransfer.IntegrationTests.Wants.Policies;

/// <summary>What a policy wants, as the database decides it, against the definition written a second time.</summary>
public sealed class PolicyWantsTests : IAsyncLifetime
{
    private PolicyDatabase _db = null!;

    public async ValueTask InitializeAsync() => _db = await PolicyDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await _db.DisposeAsync();

    [Theory]
    [InlineData("nothing-except", "", "a", false)]
    [InlineData("everything-except", "", "a", true)]
    [InlineData("nothing-except", "prefix:utf8:", "a", true)]
    [InlineData("nothing-except", "prefix:utf8:photos/", "photos/a", true)]
    [InlineData("nothing-except", "prefix:utf8:photos/", "photos/", true)]
    [InlineData("nothing-except", "prefix:utf8:photos/", "photos", false)]
    [InlineData("nothing-except", "prefix:utf8:photos/", "Photos/a", false)]
    [InlineData("nothing-except", "exact:utf8:photos/", "photos/a", false)]
    [InlineData("nothing-except", "exact:utf8:photos/a", "photos/a", true)]
    [InlineData("everything-except", "prefix:utf8:photos/", "photos/a", false)]
    [InlineData("everything-except", "exact:utf8:photos", "photos/a", true)]
    [InlineData("nothing-except", "prefix:utf8:%", "anything", false)]
    public async Task A_filter_picks_by_bytes(string kind, string filter, string location, bool wants)
    {
        await _db.Policies.SetAsync(
            PolicyDatabase.Bucket,
            PolicyDatabase.Policy(kind, filter.Length == 0 ? [] : [filter]),
            prunes: false,
            default
        );

        (await WantsAsync("b", PolicyDatabase.Bucket, ByteString.FromUtf8(location))).ShouldBe(wants);
    }

    [Fact]
    public async Task A_policy_counts_for_its_node_and_its_bucket_alone()
    {
        await _db.Policies.SetAsync(PolicyDatabase.Bucket, PolicyDatabase.Policy("nothing-except"), prunes: false, default);

        (await WantsAsync("b", PolicyDatabase.Bucket, ByteString.FromUtf8("x"))).ShouldBeFalse();
        (await WantsAsync("a", PolicyDatabase.Bucket, ByteString.FromUtf8("x"))).ShouldBeTrue();
        (await WantsAsync("b", new ByteString([2, 2]), ByteString.FromUtf8("x"))).ShouldBeTrue();
    }

    [Fact]
    public async Task Any_policy_wants_what_its_definition_says()
    {
        var random = new Random(20260731);
        for (var round = 0; round < 100; round++)
        {
            var policy = AnyPolicy(random);
            await _db.Policies.SetAsync(PolicyDatabase.Bucket, policy, prunes: false, default);
            for (var question = 0; question < 10; question++)
            {
                var location = AnyBytes(random, 1);
                var matches = policy.Filters.Any(filter =>
                    filter.Kind == FilterKind.Exact ? location.Equals(filter.Value) : location.Span.StartsWith(filter.Value.Span)
                );

                (await WantsAsync("b", PolicyDatabase.Bucket, location)).ShouldBe(
                    matches == (policy.Kind == PolicyKind.NothingExcept),
                    $"{Policy.NameOf(policy.Kind)} {string.Join(' ', policy.Filters)}: {location}"
                );
            }
        }
    }

    [Fact]
    public async Task A_policy_is_kept_as_it_was_given()
    {
        var random = new Random(7);
        for (var round = 0; round < 20; round++)
        {
            var policy = AnyPolicy(random);
            await _db.Policies.SetAsync(PolicyDatabase.Bucket, policy, prunes: false, default);

            var kept = await _db.Policies.GetAsync(PolicyDatabase.Bucket, default);

            kept.Policy.Kind.ShouldBe(policy.Kind);
            kept.Policy.Filters.ShouldBe(policy.Filters);
            kept.ChangedAt.ShouldNotBeNull();
        }
    }

    private static Policy AnyPolicy(Random random) =>
        new(
            random.Next(2) == 0 ? PolicyKind.NothingExcept : PolicyKind.EverythingExcept,
            Enumerable
                .Range(0, random.Next(4))
                .Select(_ =>
                    random.Next(2) == 0
                        ? new LocationFilter(FilterKind.Prefix, AnyBytes(random, 0))
                        : new LocationFilter(FilterKind.Exact, AnyBytes(random, 1))
                )
        );

    /// <summary>Short, of three values that are none of them harmless: many coincide, begin each other, or are not text.</summary>
    private static ByteString AnyBytes(Random random, int atLeast) =>
        new([.. Enumerable.Range(0, random.Next(atLeast, 4)).Select(_ => (byte)(random.Next(3) * 0x5c + random.Next(2)))]);

    private Task<bool> WantsAsync(string node, ByteString bucket, ByteString location) =>
        _db.Queue.Test.ScalarAsync<bool>(
            $"SELECT filetransfer.policy_wants('{node}', {TestFile.Sql(bucket.ToArray())}, {TestFile.Sql(location.ToArray())})"
        );
}

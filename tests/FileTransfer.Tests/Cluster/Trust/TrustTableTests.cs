using FileTransfer.Cluster.Trust;
using FileTransfer.Identity;
using FileTransfer.Identity.Signing;

namespace FileTransfer.Tests.Cluster.Trust;

public sealed class TrustTableTests
{
    private static readonly NodeId _b = new("b");
    private static readonly PeerName _paris = new("paris", _b);
    private static readonly PeerName _rome = new("rome", _b);
    private readonly NodeKeys _first = NodeKeys.Create();

    [Fact]
    public void Who_is_not_listed_is_unknown_and_a_listed_key_counts_in_the_cluster_that_is_named()
    {
        new TrustTable([], []).Judge(_paris).ShouldBe(TrustVerdict.Unknown);
        var table = Of(Listed("paris", _first.Current.Public));
        table.Judge(_paris).Keys.ShouldBe([_first.Current.Public]);
        table.Judge(_rome).Standing.ShouldBe(TrustStanding.Unknown);
        table.Judge(new PeerName("paris", new NodeId("c"))).Standing.ShouldBe(TrustStanding.Unknown);
        Of(Listed(null, _first.Current.Public)).Judge(_rome).IsTrusted.ShouldBeTrue();
        Judge(table, [NodeKey.Create().Public], null).Standing.ShouldBe(TrustStanding.Conflict);
        Judge(table, [_first.Current.Public], null).IsTrusted.ShouldBeTrue();
    }

    [Fact]
    public void A_key_that_a_trusted_one_has_signed_counts_beside_it_and_so_does_the_one_after_it()
    {
        var (second, third) = Twice();
        var table = Of(Listed("paris", _first.Current.Public));
        var rotated = table.Judge(_paris, second.Public, second.Rotation, out var learned);
        rotated.Keys.ShouldBe(second.Public);
        table = table.With(learned.ShouldNotBeNull());
        table.Judge(_paris).Keys.ShouldBe(second.Public);
        Judge(table, [_first.Current.Public], null).IsTrusted.ShouldBeTrue("two count at a time");

        table.Judge(_paris, third.Public, third.Rotation, out learned).Keys.ShouldBe(third.Public);
        table = table.With(learned.ShouldNotBeNull());
        table.Judge(_paris).Keys.ShouldBe(third.Public);
        Judge(table, [_first.Current.Public], null).Standing.ShouldBe(TrustStanding.Conflict);
        Judge(table, third.Public, third.Rotation).IsTrusted.ShouldBeTrue("nothing is to be learned twice");
    }

    [Fact]
    public void A_second_key_that_the_first_has_not_signed_or_a_second_successor_is_a_conflict()
    {
        var (second, other) = (_first.Rotate(), _first.Rotate());
        var table = Of(Listed("paris", _first.Current.Public));
        Judge(table, second.Public, other.Rotation).Standing.ShouldBe(TrustStanding.Conflict);
        Judge(table, second.Public, null).Standing.ShouldBe(TrustStanding.Conflict);
        Judge(table, [second.Current.Public], second.Rotation).Standing.ShouldBe(TrustStanding.Conflict);
        table.Judge(_paris, second.Public, second.Rotation, out var learned);
        var conflict = Judge(table.With(learned!), other.Public, other.Rotation);
        conflict.Standing.ShouldBe(TrustStanding.Conflict);
        conflict.Keys.ShouldBe(second.Public);
    }

    [Fact]
    public void A_person_goes_before_the_settings_and_these_before_what_a_node_says_of_itself()
    {
        var (stored, settings, own) = (NodeKey.Create().Public, NodeKey.Create().Public, NodeKey.Create().Public);
        var member = new TrustEntry(_b, "paris", [own], TrustOrigin.Member);
        var ofAny = Listed(null, settings);
        var said = new TrustEntry(_b, "paris", [stored], TrustOrigin.Stored);
        var table = Of(member, ofAny, said);
        table.Judge(_paris).Keys.ShouldBe([stored]);
        table.Judge(_rome).Keys.ShouldBe([settings]);
        table.StandingOf(member).ShouldBe(TrustStanding.Conflict);
        Of(member, ofAny).Judge(_paris).Keys.ShouldBe([settings]);
        Of(member).Judge(_paris).Keys.ShouldBe([own]);
        Of(member, Listed("paris", own)).StandingOf(member).ShouldBe(TrustStanding.Trusted);
    }

    [Fact]
    public void A_revocation_goes_before_settings_and_rows_until_somebody_lists_the_cluster()
    {
        var revoked = new TrustEntry(_b, null, [], TrustOrigin.Stored);
        var listed = Listed("paris", _first.Current.Public);
        var table = Of(revoked, listed);
        Judge(table, _first.Public, null).Standing.ShouldBe(TrustStanding.Revoked);
        table.StandingOf(listed).ShouldBe(TrustStanding.Revoked);
        Of(revoked, listed, listed with { Origin = TrustOrigin.Stored }).Judge(_paris).IsTrusted.ShouldBeTrue();
        var other = Of(listed, Listed("rome", _first.Current.Public), revoked with { Cluster = "paris" });
        (other.Judge(_paris).Standing, other.Judge(_rome).Standing).ShouldBe((TrustStanding.Revoked, TrustStanding.Trusted));
    }

    [Fact]
    public void Two_keys_may_be_listed_and_forged_or_endless_rotations_are_not_followed()
    {
        var (other, second) = (NodeKey.Create().Public, _first.Rotate());
        Of(Listed("paris", _first.Current.Public), Listed("paris", other))
            .Judge(_paris)
            .Keys.ShouldBe([_first.Current.Public, other]);
        var forged = new KeyRotation(_paris, _first.Current.Public, other, second.Rotation!);
        new TrustTable([Listed("paris", _first.Current.Public)], [forged]).Judge(_paris).Keys.ShouldBe([_first.Current.Public]);

        var (table, keys) = (Of(Listed("paris", _first.Current.Public)), _first);
        for (var rotations = 0; rotations < TrustTable.MostRotations; rotations++)
        {
            keys = keys.Rotate();
            table.Judge(_paris, keys.Public, keys.Rotation, out var learned).IsTrusted.ShouldBeTrue();
            table = table.With(learned!);
        }

        keys = keys.Rotate();
        Judge(table, keys.Public, keys.Rotation).Standing.ShouldBe(TrustStanding.Conflict);
    }

    [Fact]
    public void Settings_that_list_no_key_or_three_of_a_node_are_refused()
    {
        Faults("x").ShouldHaveSingleItem().ShouldStartWith("FileTransfer:Trust:0:PublicKey is no key");
        var key = _first.Current.Public.ToString();
        Faults(key, key).ShouldBeEmpty();
        Faults(key, key, key).ShouldHaveSingleItem().ShouldStartWith("FileTransfer:Trust:2 is a third key of node 'b'");

        IEnumerable<string> Faults(params string[] keys)
        {
            var options = new TrustOptions();
            foreach (var one in keys)
            {
                options.Trust.Add(
                    new TrustedNodeOptions
                    {
                        NodeId = "b",
                        Cluster = "paris",
                        PublicKey = one,
                    }
                );
            }

            return options.Faults();
        }
    }

    private (NodeKeys Second, NodeKeys Third) Twice()
    {
        var second = _first.Rotate();
        return (second, second.Rotate());
    }

    private static TrustEntry Listed(string? cluster, PublicKey key) => new(_b, cluster, [key], TrustOrigin.Settings);

    private static TrustTable Of(params TrustEntry[] entries) => new(entries, []);

    private static TrustVerdict Judge(TrustTable table, IReadOnlyList<PublicKey> shown, byte[]? rotation) =>
        table.Judge(_paris, shown, rotation, out _);
}

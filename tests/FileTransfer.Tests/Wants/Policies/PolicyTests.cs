using FileTransfer.Wants.Policies;

namespace FileTransfer.Tests.Wants.Policies;

public sealed class PolicyTests
{
    [Fact]
    public void Filters_are_a_set_shown_in_one_order()
    {
        var policy = Parse(
            "nothing-except",
            "exact:utf8:b",
            "prefix:utf8:z",
            "prefix:utf8:a",
            "exact:hex:00ff",
            "prefix:hex:61",
            "prefix:utf8:a"
        );

        policy
            .Filters.Select(filter => filter.ToString())
            .ShouldBe(["prefix:utf8:a", "prefix:utf8:z", "exact:hex:00ff", "exact:utf8:b"]);
    }

    [Theory]
    [InlineData("everything-except", "", true)]
    [InlineData("everything-except", "prefix:utf8:a", false)]
    [InlineData("nothing-except", "", false)]
    [InlineData("nothing-except", "prefix:utf8:", false)]
    public void Only_a_policy_without_exceptions_is_the_default(string kind, string filter, bool isEverything) =>
        Parse(kind, filter.Length == 0 ? [] : [filter]).IsEverything.ShouldBe(isEverything);

    [Theory]
    [InlineData("everything")]
    [InlineData("NothingExcept")]
    [InlineData("")]
    public void An_unknown_kind_is_refused_with_the_known_ones(string kind)
    {
        Policy.TryParse(kind, [], out _, out var fault).ShouldBeFalse();

        fault!.ShouldContain($"'{kind}'");
        fault!.ShouldContain("nothing-except or everything-except");
    }

    [Fact]
    public void The_filter_at_fault_is_named()
    {
        Policy.TryParse("nothing-except", ["prefix:utf8:a", "prefix:b"], out _, out var fault).ShouldBeFalse();

        fault!.ShouldContain("'prefix:b'");
    }

    [Fact]
    public void Too_many_filters_are_refused()
    {
        var filters = Enumerable.Range(0, Policy.MaxFilters + 1).Select(number => $"exact:utf8:{number}").ToList();

        Policy.TryParse("nothing-except", filters, out _, out var fault).ShouldBeFalse();
        Policy.TryParse("nothing-except", filters[1..], out _, out _).ShouldBeTrue();

        fault!.ShouldContain($"{Policy.MaxFilters + 1}");
    }

    [Fact]
    public void Kinds_are_read_as_they_are_written()
    {
        foreach (var kind in Enum.GetValues<PolicyKind>())
        {
            Policy.ReadKind(Policy.NameOf(kind)).ShouldBe(kind);
        }

        Policy.KindNames.Select(Policy.ReadKind).ShouldAllBe(kind => kind != null);
    }

    private static Policy Parse(string kind, params string[] filters)
    {
        Policy.TryParse(kind, filters, out var policy, out var fault).ShouldBeTrue(fault);
        return policy!;
    }
}

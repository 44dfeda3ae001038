using System.Diagnostics.CodeAnalysis;

namespace FileTransfer.Wants.Policies;

/// <summary>What a policy does with the files that its filters do not match; with those they match it does the opposite.</summary>
public enum PolicyKind
{
    NothingExcept,
    EverythingExcept,
}

/// <summary>Which files of a bucket a node wants: a set of filters, and whether they pick what is wanted or what is not.</summary>
public sealed class Policy
{
    public const int MaxFilters = 1000;

    private const string NothingExcept = "nothing-except";
    private const string EverythingExcept = "everything-except";

    /// <exception cref="ArgumentException">There are too many filters.</exception>
    public Policy(PolicyKind kind, IEnumerable<LocationFilter> filters)
    {
        Kind = kind;
        Prefixes = Sorted(filters = [.. filters], FilterKind.Prefix);
        Exacts = Sorted(filters, FilterKind.Exact);
        if (Prefixes.Count + Exacts.Count > MaxFilters)
        {
            throw new ArgumentException(TooMany(Prefixes.Count + Exacts.Count), nameof(filters));
        }
    }

    /// <summary>The policy of every bucket that has no other.</summary>
    public static Policy Everything { get; } = new(PolicyKind.EverythingExcept, []);

    public PolicyKind Kind { get; }

    /// <summary>Each once, in the order of their bytes.</summary>
    public IReadOnlyList<ByteString> Prefixes { get; }

    /// <summary>Each once, in the order of their bytes.</summary>
    public IReadOnlyList<ByteString> Exacts { get; }

    public bool IsEverything => Kind == PolicyKind.EverythingExcept && Prefixes.Count + Exacts.Count == 0;

    public IEnumerable<LocationFilter> Filters =>
        Prefixes
            .Select(value => new LocationFilter(FilterKind.Prefix, value))
            .Concat(Exacts.Select(value => new LocationFilter(FilterKind.Exact, value)));

    /// <summary>The kinds as they are written in JSON, in SQL and on the command line.</summary>
    public static IReadOnlyList<string> KindNames { get; } = [NothingExcept, EverythingExcept];

    public static string NameOf(PolicyKind kind) => kind == PolicyKind.NothingExcept ? NothingExcept : EverythingExcept;

    public static PolicyKind? ReadKind(string? name) =>
        name switch
        {
            NothingExcept => PolicyKind.NothingExcept,
            EverythingExcept => PolicyKind.EverythingExcept,
            _ => null,
        };

    /// <summary>Reads a policy from its parts as text. When it cannot be read, <paramref name="fault"/> says what to write instead.</summary>
    public static bool TryParse(
        string kindName,
        IReadOnlyCollection<string> filterTexts,
        [NotNullWhen(true)] out Policy? policy,
        [NotNullWhen(false)] out string? fault
    )
    {
        policy = null;
        if (ReadKind(kindName) is not { } kind)
        {
            fault = $"'{kindName}' is not a policy kind; write {string.Join(" or ", KindNames)}.";
            return false;
        }

        if (filterTexts.Count > MaxFilters)
        {
            fault = TooMany(filterTexts.Count);
            return false;
        }

        var filters = new List<LocationFilter>(filterTexts.Count);
        foreach (var text in filterTexts)
        {
            if (!LocationFilter.TryParse(text, out var filter, out fault))
            {
                return false;
            }

            filters.Add(filter);
        }

        policy = new Policy(kind, filters);
        fault = null;
        return true;
    }

    private static string TooMany(int count) => $"The policy has {count} filters; at most {MaxFilters} are allowed.";

    private static IReadOnlyList<ByteString> Sorted(IEnumerable<LocationFilter> filters, FilterKind kind) =>
        [
            .. filters
                .Where(filter => filter.Kind == kind)
                .Select(filter => filter.Value)
                .Distinct()
                .Order(Comparer<ByteString>.Create((left, right) => left.Span.SequenceCompareTo(right.Span))),
        ];
}

using FileTransfer.Hosting.Access;

namespace FileTransfer.Hosting.Configuration;

/// <summary>Who lists tokens in two places numbers them twice: what two of them give to one number is no token of anybody's.</summary>
internal static class TokenEntries
{
    /// <summary>The entries that would be put together from two sources: another's scopes would go to this one's token.</summary>
    public static IEnumerable<string> MixedIn(IConfiguration all)
    {
        if (all is not IConfigurationRoot root)
        {
            yield break;
        }

        foreach (var entry in all.GetSection($"{AccessOptions.Section}:{nameof(AccessOptions.Tokens)}").GetChildren())
        {
            var origins = entry
                .AsEnumerable()
                .Where(setting =>
                    setting.Value is not null
                    && !root.Providers.OfType<SecretFiles>().Any(file => file.TryGet(setting.Key, out _))
                )
                .Select(setting => EffectiveSettings.OriginOf(root, setting.Key))
                .Distinct(StringComparer.Ordinal)
                .ToList();
            if (origins.Count > 1)
            {
                yield return $"{entry.Path} is put together from {string.Join(" and ", origins)}; number the tokens of one of them otherwise, such as {AccessOptions.Section}:Tokens:100.";
            }
        }
    }
}

namespace FileTransfer.Contracts;

/// <summary>Every setting of a node.</summary>
public sealed record ConfigurationResource(string Node, IReadOnlyList<SettingResource> Settings);

/// <param name="Key" example="FileTransfer:Downloads:Lanes">As it is written in a file; with two underscores for each colon in the environment.</param>
/// <param name="Value">In force; <c>***</c> in place of a secret; null where there is none.</param>
/// <param name="Origin"><c>default</c>, <c>file PATH</c>, <c>environment</c>, <c>command line</c> or <c>run time</c>.</param>
public sealed record SettingResource(string Key, string? Value, string Origin);

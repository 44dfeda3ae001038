using FileTransfer.Chunks.Durability;

namespace FileTransfer.Catalog.Repair;

/// <summary>A pass of the scrub over all contents.</summary>
/// <param name="IsRequested">A person asked for it; else it keeps to the period.</param>
/// <param name="Position">The fingerprint of the last content that was proven, hex; contents are proven in the order of these.</param>
/// <param name="Contents">Contents proven.</param>
/// <param name="Bytes">Bytes proven.</param>
/// <param name="TotalBytes">Bytes held when it started.</param>
/// <param name="Damaged">Contents that were set aside.</param>
/// <param name="Mended">Contents whose chunk hashes were computed again.</param>
/// <param name="EndedAt">Null while it is under way.</param>
public sealed record ScrubPass(
    bool IsRequested,
    DateTimeOffset StartedAt,
    string? Position,
    long Contents,
    long Bytes,
    long TotalBytes,
    long Damaged,
    long Mended,
    DateTimeOffset? EndedAt
);

/// <summary>How far the scrub of a data folder is; kept in it, so that a restart goes on where it was.</summary>
/// <param name="Now">The pass under way; null between two.</param>
/// <param name="Last">The last pass that was completed.</param>
/// <param name="NextAt">When the next pass may begin; null: at once.</param>
public sealed record ScrubState(ScrubPass? Now, ScrubPass? Last, DateTimeOffset? NextAt)
{
    public static readonly ScrubState None = new(null, null, null);
}

/// <summary>Keeps a <see cref="ScrubState"/> in the file <c>scrub.json</c> of a data folder.</summary>
public sealed class ScrubFile(string dataDirectory)
{
    private readonly string _path = Path.Combine(dataDirectory, "scrub.json");

    /// <summary>What was saved last; nothing where there is no such file, or one that cannot be read as such: then all is proven anew.</summary>
    public ScrubState Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_path), ScrubJson.Default.ScrubState) ?? ScrubState.None;
        }
        catch (Exception fault) when (fault is FileNotFoundException or JsonException)
        {
            return ScrubState.None;
        }
    }

    /// <summary>Saves it durably, in one step.</summary>
    public void Save(ScrubState state) =>
        DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(state, ScrubJson.Default.ScrubState));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ScrubState))]
internal sealed partial class ScrubJson : JsonSerializerContext;

using FileTransfer.Chunks.Durability;

namespace FileTransfer.Exports;

/// <summary>Keeps the request of the export that runs in the file <c>export.json</c> of a data folder, so that a node that is started again goes on with it.</summary>
internal sealed class ExportNote(string dataDirectory)
{
    private readonly string _path = Path.Combine(dataDirectory, "export.json");

    /// <returns>Null where none was running.</returns>
    /// <exception cref="JsonException">Somebody else has written the file.</exception>
    public ExportRequest? Load() =>
        File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), WireJson.Default.ExportRequest) : null;

    public void Save(ExportRequest request) =>
        DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(request, WireJson.Default.ExportRequest));

    public void Delete() => File.Delete(_path);
}

using FileTransfer.Uploads.Ingest;

namespace FileTransfer.Tests.Uploads.Ingest;

public sealed class FolderEntryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_names_of_a_folder_come_in_pages_in_their_order()
    {
        string[] names = ["Z.s", "a.s", "b.s", "c.s", "é.s"];
        foreach (var name in names.Append(".hidden.s").Append("d.other").Reverse())
        {
            File.WriteAllText(Path.Combine(_folder.Path, name), name);
        }

        var first = FolderEntry.NamesIn(_folder.Path, "*.s", "", 2);
        var second = FolderEntry.NamesIn(_folder.Path, "*.s", first[^1], 2);
        var last = FolderEntry.NamesIn(_folder.Path, "*.s", second[^1], 2);

        first.Concat(second).Concat(last).ShouldBe(names);
        FolderEntry.NamesIn(_folder.Path, ".h*", "", 2).ShouldBe([".hidden.s"]);
    }
}

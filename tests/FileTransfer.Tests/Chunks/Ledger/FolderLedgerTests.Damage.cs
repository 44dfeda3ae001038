using System.Text;
using Microsoft.Data.Sqlite;

namespace FileTransfer.Tests.Chunks.Ledger;

/// <content>An engine that is damaged or gone.</content>
public sealed partial class FolderLedgerTests
{
    [Theory]
    [InlineData("truncated")]
    [InlineData("garbled")]
    [InlineData("foreign")]
    public async Task A_damaged_engine_is_set_aside_with_a_reason_and_a_new_one_begins(string damage)
    {
        using var store = new TestStore();
        var ledger = Open(store);
        await ledger.RecordAsync([.. Enumerable.Range(0, 500).Select(seed => File(seed, 100))], []);
        await ledger.DeclareFullAsync();

        store.Restart(folder => Damage(Path.Combine(folder, "small.db"), damage));
        var reopened = Open(store);

        reopened.IsIncomplete.ShouldBeTrue();
        reopened.SetAsideBecause.ShouldNotBeNullOrEmpty();
        System.IO.File.ReadAllText(Path.Combine(store.Root, "quarantine", "small.db.reason")).ShouldContain("is damaged");
        System.IO.File.Exists(Path.Combine(store.Root, "quarantine", "small.db")).ShouldBeTrue();
        await reopened.RecordAsync([File(1, 100)], []);
        reopened.Files(null, 10).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_emptied_engine_is_as_good_as_a_new_one()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        await ledger.RecordAsync([File(1, 100)], []);
        await ledger.DeclareFullAsync();

        store.Restart(folder => System.IO.File.WriteAllBytes(Path.Combine(folder, "small.db"), []));
        var reopened = Open(store);

        reopened.IsIncomplete.ShouldBeTrue();
        reopened.Files(null, 10).ShouldBeEmpty();
    }

    [Fact]
    public async Task Damage_that_is_met_while_writing_loses_no_write()
    {
        using var store = new TestStore();
        var ledger = Open(store);
        await ledger.RecordAsync([.. Enumerable.Range(0, 2000).Select(seed => File(seed, 100))], []);
        Checkpoint(Path.Combine(store.Root, "small.db"));
        Damage(Path.Combine(store.Root, "small.db"), "garbled");

        var later = Enumerable.Range(2000, 4000).Select(seed => File(seed, 100)).ToList();
        await ledger.RecordAsync(later, []);

        ledger.IsIncomplete.ShouldBeTrue();
        foreach (var file in later)
        {
            ledger.Find(file.Key).ShouldBe(file);
        }
    }

    private static void Damage(string path, string damage)
    {
        var bytes = System.IO.File.ReadAllBytes(path);
        switch (damage)
        {
            case "truncated":
                bytes = bytes[..(bytes.Length / 2)];
                break;
            case "garbled":
                bytes.AsSpan(4096).Fill(0xA5);
                break;
            default:
                bytes = Encoding.ASCII.GetBytes("This is no database at all, and never was one of any kind.");
                break;
        }

        System.IO.File.WriteAllBytes(path, bytes);
    }

    private static void Checkpoint(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(truncate)";
        using var reader = command.ExecuteReader();
        reader.Read().ShouldBeTrue();
    }
}

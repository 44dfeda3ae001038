using FileTransfer.Postgres;

namespace FileTransfer.Tests.Postgres;

public sealed class MigrationTests
{
    [Fact]
    public void The_programs_own_are_numbered_from_1_without_gaps_and_none_is_empty()
    {
        var own = Migration.Embedded;

        own.ShouldNotBeEmpty();
        own.Select(migration => migration.Version).ShouldBe(Enumerable.Range(1, own.Count));
        own.Select(migration => migration.Name).ShouldBeUnique();
        own.ShouldAllBe(migration => !string.IsNullOrWhiteSpace(migration.Sql));
    }

    [Fact]
    public void A_checksum_is_of_the_text_alone_and_of_all_of_it()
    {
        var migration = new Migration(1, "a", "SELECT 1;\n");

        (migration with { Version = 2, Name = "b" }).Checksum.ShouldBe(migration.Checksum);
        (migration with { Sql = "SELECT 1; \n" }).Checksum.ShouldNotBe(migration.Checksum);
    }
}

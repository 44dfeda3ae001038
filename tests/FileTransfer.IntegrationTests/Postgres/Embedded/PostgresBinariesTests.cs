using FileTransfer.Postgres;
using FileTransfer.Postgres.Embedded;

namespace FileTransfer.IntegrationTests.Postgres.Embedded;

public sealed class PostgresBinariesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("filetransfer-programs-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Missing_programs_are_named_with_the_package_to_install()
    {
        var refusal = await Should.ThrowAsync<FatalStartException>(() =>
            PostgresBinaries.FindAsync(null, _root, Path.Combine(_root, "none"), default)
        );
        refusal.Message.ShouldContain("apt-get install postgresql");
        refusal.Message.ShouldContain("ConnectionStrings:Postgres");
    }

    [Fact]
    public async Task The_newest_programs_are_used_and_too_old_ones_are_not()
    {
        foreach (var major in (int[])[9, 14, 15, 17])
        {
            var bin = Directory.CreateDirectory(Path.Combine(_root, "versions", $"{major}", "bin")).FullName;
            foreach (var program in (string[])["postgres", "initdb"])
            {
                await File.WriteAllTextAsync(Path.Combine(bin, program), $"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.2'\n");
                File.SetUnixFileMode(Path.Combine(bin, program), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        var versions = Path.Combine(_root, "versions");
        (await PostgresBinaries.FindAsync(null, "", versions, default)).Major.ShouldBe(17);
        (await PostgresBinaries.FindAsync(15, "", versions, default)).Major.ShouldBe(15);
        (await PostgresBinaries.FindAsync(null, Path.Combine(versions, "15", "bin"), versions, default)).Major.ShouldBe(15);
        (
            await Should.ThrowAsync<FatalStartException>(() => PostgresBinaries.FindAsync(16, "", versions, default))
        ).Message.ShouldContain("postgresql-16");
        (
            await Should.ThrowAsync<FatalStartException>(() => PostgresBinaries.FindAsync(14, "", versions, default))
        ).Message.ShouldContain("14");
    }
}

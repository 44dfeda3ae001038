using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace FileTransfer.Tests.Architecture;

/// <summary>The program is built from the same packages whether it is compiled beforehand or not.</summary>
public sealed class LockFileTests
{
    [Fact]
    public void A_program_compiled_beforehand_has_the_packages_of_any_other()
    {
        var project = ProjectFolder();
        var general = Locked(Path.Combine(project, "packages.lock.json"));
        var beforehand = Directory.GetFiles(project, "packages.*-*.lock.json");

        beforehand.ShouldNotBeEmpty();
        foreach (var file in beforehand)
        {
            Locked(file)
                .ShouldBe(
                    general,
                    $"{Path.GetFileName(file)} is made anew by: dotnet restore src/FileTransfer --force-evaluate -p:RuntimeIdentifier="
                );
        }
    }

    private static string Locked(string file) =>
        JsonNode.Parse(File.ReadAllText(file))!["dependencies"]!["net10.0"]!.ToJsonString();

    private static string ProjectFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/FileTransfer"));
}

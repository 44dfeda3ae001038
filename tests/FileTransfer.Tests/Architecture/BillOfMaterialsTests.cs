using System.Text.Json.Nodes;

namespace FileTransfer.Tests.Architecture;

/// <summary>The bill of materials that the build writes beside the program.</summary>
public sealed class BillOfMaterialsTests
{
    [Fact]
    public void It_lists_the_packages_whose_files_are_beside_the_program_and_no_other()
    {
        var folder = Path.Combine(Documents.Document.Root, "src/FileTransfer/bin", Configuration, "net10.0");
        var bill = Read(Path.Combine(folder, "filetransfer.cdx.json"));
        var listed = bill["components"]!
            .AsArray()
            .Where(component => (string?)component!["type"] == "library")
            .Select(component => (string)component!["purl"]!)
            .ToList();

        var program = Read(Path.Combine(folder, "filetransfer.deps.json"));
        var shipped = program["targets"]![(string)program["runtimeTarget"]!["name"]!]!.AsObject();
        ((string?)bill["bomFormat"]).ShouldBe("CycloneDX");
        listed.ShouldBe(listed.Distinct());
        listed
            .Order(StringComparer.Ordinal)
            .ShouldBe(
                shipped
                    .Where(package => package.Key.Split('/')[0] != "filetransfer" && HasFiles(package.Value!))
                    .Select(package => $"pkg:nuget/{package.Key.Replace('/', '@')}")
                    .Order(StringComparer.Ordinal)
            );
        listed.Count.ShouldBeGreaterThan(20);
    }

    private static string Configuration =>
        Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar))!);

    private static bool HasFiles(JsonNode package) =>
        package.AsObject().Any(part => part.Key is "runtime" or "native" or "runtimeTargets");

    private static JsonNode Read(string path) => JsonNode.Parse(File.ReadAllText(path))!;
}

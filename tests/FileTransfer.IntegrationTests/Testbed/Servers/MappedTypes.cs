using System.Runtime.CompilerServices;
using FileTransfer.Catalog;

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>Tests run the product's statements in their own process, where no node maps its types for them.</summary>
internal static class MappedTypes
{
    [ModuleInitializer]
    internal static void Map() => CatalogTypes.Map();
}

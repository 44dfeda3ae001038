using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Contracts;

namespace FileTransfer.Tests.Contracts;

/// <summary>What crosses the wire as JSON. A line has a shape's members in their order, with <c>?</c> behind those that are left out where they are null.</summary>
public sealed class WireShapeTests
{
    [Fact]
    public void Shapes_on_the_wire_have_the_members_that_clients_know_in_their_order() =>
        ShapesOf(WireJson.Default).ShouldBe(Recorded("wire-shapes.txt"));

    [Fact]
    public void Shapes_without_nulls_have_the_members_that_clients_know_in_their_order() =>
        ShapesOf(SparseJson.Default).ShouldBe(Recorded("sparse-shapes.txt"));

    private static string[] Recorded(string name) => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "vectors", name));

    private static List<string> ShapesOf(JsonSerializerContext context)
    {
        var shapes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var open = new Queue<Type>(RootsOf(context));
        while (open.TryDequeue(out var type))
        {
            var shape = context.GetTypeInfo(type).ShouldNotBeNull();
            if (shape.ElementType is { } element)
            {
                open.Enqueue(element);
            }

            if (
                shape.Kind == JsonTypeInfoKind.Object
                && type.Assembly == context.GetType().Assembly
                && !shapes.ContainsKey(type.Name)
            )
            {
                // What is left out of an object of nulls is left out where it is null.
                var nulls = JsonSerializer.SerializeToElement(JsonSerializer.Deserialize("{}", shape), shape);
                var members = shape.Properties.Where(member => member.Get is not null).ToList();
                shapes[type.Name] = string.Join(
                    ' ',
                    members.Select(member => nulls.TryGetProperty(member.Name, out _) ? member.Name : $"{member.Name}?")
                );
                members.ForEach(member => open.Enqueue(member.PropertyType));
            }
        }

        return [.. shapes.Select(shape => $"{shape.Key}: {shape.Value}")];
    }

    private static IEnumerable<Type> RootsOf(JsonSerializerContext context) =>
        context
            .GetType()
            .GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
            .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!);
}

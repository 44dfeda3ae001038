using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace FileTransfer.Hosting.Configuration;

/// <summary>Compares configured values with the type of options they are for. A fault names the key, the value and what to write instead.</summary>
internal static class SettingRules
{
    /// <summary>All faults of one section, those of nested types and lists included; empty when it can be bound.</summary>
    public static IReadOnlyList<string> FaultsOf(Type type, IConfigurationSection section)
    {
        var faults = new List<string>();
        Visit(type, section, faults);
        return faults;
    }

    public static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    public static bool IsLeaf(Type type) =>
        Nullable.GetUnderlyingType(type) is not null
        || type.IsPrimitive
        || type.IsEnum
        || type == typeof(string)
        || type == typeof(TimeSpan)
        || type == typeof(Uri);

    public static Type? ElementOf(Type type) =>
        type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type) && type.IsGenericType
            ? type.GetGenericArguments()[^1]
            : null;

    /// <summary>Whether the entries have names of their own instead of numbers.</summary>
    public static bool IsMap(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IDictionary<,>);

    private static void Visit(Type type, IConfigurationSection section, List<string> faults)
    {
        var defaults = Activator.CreateInstance(type);
        foreach (var property in PropertiesOf(type))
        {
            var setting = section.GetSection(property.Name);
            if (IsLeaf(property.PropertyType))
            {
                VisitLeaf(property, setting, property.GetValue(defaults), faults);
            }
            else if (ElementOf(property.PropertyType) is { } element)
            {
                VisitList(element, IsMap(property.PropertyType), setting, faults);
            }
            else
            {
                Visit(property.PropertyType, setting, faults);
            }
        }
    }

    private static void VisitList(Type element, bool isMap, IConfigurationSection list, List<string> faults)
    {
        if (!string.IsNullOrEmpty(list.Value))
        {
            faults.Add(
                isMap
                    ? $"{list.Path} is '{list.Value}'; it has entries: write one as {list.Path}:NAME."
                    : $"{list.Path} is '{list.Value}'; it is a list: write its first entry as {list.Path}:0."
            );
        }

        if (!IsLeaf(element))
        {
            foreach (var entry in list.GetChildren())
            {
                Visit(element, entry, faults);
            }
        }
    }

    private static void VisitLeaf(PropertyInfo property, IConfigurationSection setting, object? defaultValue, List<string> faults)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var optional = !property.PropertyType.IsValueType || type != property.PropertyType;
        var value = defaultValue;
        if (setting.Value is { } text && !(optional && text.Length == 0 && type != typeof(string)))
        {
            if (!TryConvert(type, text, out value))
            {
                faults.Add($"{setting.Path} is '{EffectiveSettings.Masked(setting.Path, text)}'; write {HintFor(type)}.");
                return;
            }
        }

        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>(inherit: true))
        {
            if (!rule.IsValid(value))
            {
                var found =
                    setting.Value is null && string.IsNullOrEmpty(value?.ToString())
                        ? "missing"
                        : $"'{EffectiveSettings.Masked(setting.Path, setting.Value ?? $"{value}")}'";
                faults.Add($"{setting.Path} is {found}; write {HintFor(rule, type)}.");
                return;
            }
        }
    }

    private static bool TryConvert(Type type, string text, out object? value)
    {
        value = null;
        if (type == typeof(Uri))
        {
            value = Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsWeb(uri) ? uri : null;
            return value is not null;
        }

        if (type.IsEnum)
        {
            // Names only: the numbers behind them are nobody's business.
            return Enum.GetNames(type).Contains(text, StringComparer.OrdinalIgnoreCase)
                && Enum.TryParse(type, text, ignoreCase: true, out value);
        }

        try
        {
            value = TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, text);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return false;
        }
    }

    private static bool IsWeb(Uri uri) => uri.Scheme is "http" or "https" && uri.Host.Length > 0;

    private static string HintFor(Type type) =>
        type switch
        {
            { IsEnum: true } => OneOf(Enum.GetNames(type)),
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(TimeSpan) => "a time as [days.]hh:mm:ss[.fraction], such as 00:00:20",
            _ when type == typeof(Uri) => "an absolute URL such as http://node-a:7070",
            _ when type == typeof(double) => "a number",
            _ => "a whole number",
        };

    private static string HintFor(ValidationAttribute rule, Type type) =>
        rule switch
        {
            { ErrorMessage: { } hint } => hint,
            RangeAttribute range when type == typeof(TimeSpan) => $"a time from {range.Minimum} to {range.Maximum}",
            RangeAttribute range => $"a number from {range.Minimum} to {range.Maximum}",
            _ => HintFor(type),
        };

    private static string OneOf(string[] names) => string.Join(", ", names[..^1]) + " or " + names[^1];
}

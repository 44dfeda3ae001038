using Spectre.Console;
using Spectre.Console.Rendering;

namespace FileTransfer.Cli.Output;

/// <summary>How much has moved, in the units that options are written in; the library's own columns count in thousands.</summary>
internal sealed class DoneColumn : ProgressColumn
{
    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text($"{SizeText.Of((long)task.Value)} / {SizeText.Of((long)task.MaxValue)}");

    protected override bool NoWrap => true;
}

/// <summary>How fast it moves.</summary>
internal sealed class SpeedColumn : ProgressColumn
{
    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(task.Speed is { } speed ? $"{SizeText.Of((long)speed)}/s" : "");

    protected override bool NoWrap => true;
}

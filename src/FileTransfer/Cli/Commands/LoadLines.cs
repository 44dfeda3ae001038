namespace FileTransfer.Cli.Commands;

/// <summary>Prints loads.</summary>
internal static class LoadLines
{
    /// <summary>One load with all there is to say of it.</summary>
    public static ExitCode Show(Invocation run, LoadResource load)
    {
        run.Show([LineOf(load), .. load.Missing.SelectMany(LinesOf), .. load.Sources.Select(LineOf)], load);
        return load.State is LoadResource.Running or "stored" ? ExitCode.Ok : ExitCode.NotComplete;
    }

    public static string LineOf(LoadResource load) =>
        $"{load.Name}\t{load.State}\t{load.Stored} of {load.Files} files\t{load.BytesProven} of {load.Bytes} bytes\t{load.Says}";

    private static IEnumerable<string> LinesOf(MissingLabel missing) =>
        [
            $"missing\t{missing.Label}\t{missing.Key}\t{missing.State}\t{missing.Reason}",
            .. missing.Answers.Select(answer => $"answer\t{missing.Label}\t{answer.Source}\t{answer.Said}"),
        ];

    private static string LineOf(LoadSource source) =>
        $"source\t{source.Source}\t{source.Faults} faults, {source.Corrupt} of wrong bytes\t{source.WastedBytes} bytes wasted\t{source.Reason}";
}

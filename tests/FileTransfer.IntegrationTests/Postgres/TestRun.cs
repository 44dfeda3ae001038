using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>xUnit's own way of running an assembly, and before the run is called finished what it started is stopped.</summary>
/// <remarks>The disposal of a framework comes too late for that: it is not waited for.</remarks>
public sealed class TestRun(IMessageSink messages) : XunitTestFramework(messages)
{
    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) =>
        new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Executor(AssemblyName assembly, ISourceInformationProvider sources, IMessageSink diagnostics)
        : XunitTestFrameworkExecutor(assembly, sources, diagnostics)
    {
#pragma warning disable MA0155, VSTHRD100 // The base class has it so.
        protected override async void RunTestCases(
            IEnumerable<IXunitTestCase> testCases,
            IMessageSink executionMessageSink,
            ITestFrameworkExecutionOptions executionOptions
        )
#pragma warning restore MA0155, VSTHRD100
        {
            using var runner = new Runner(TestAssembly, testCases, DiagnosticMessageSink, executionMessageSink, executionOptions);
            await runner.RunAsync();
        }
    }

    private sealed class Runner(
        ITestAssembly assembly,
        IEnumerable<IXunitTestCase> testCases,
        IMessageSink diagnostics,
        IMessageSink executions,
        ITestFrameworkExecutionOptions options
    ) : XunitTestAssemblyRunner(assembly, testCases, diagnostics, executions, options)
    {
        protected override async Task BeforeTestAssemblyFinishedAsync()
        {
            await base.BeforeTestAssemblyFinishedAsync();
            await Aggregator.RunAsync(PostgresCluster.StopAsync);
        }
    }
}

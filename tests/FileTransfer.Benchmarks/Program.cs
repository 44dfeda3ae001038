using BenchmarkDotNet.Running;
using FileTransfer.Benchmarks.Identity;

BenchmarkSwitcher.FromAssembly(typeof(ChunkHashing).Assembly).Run(args);

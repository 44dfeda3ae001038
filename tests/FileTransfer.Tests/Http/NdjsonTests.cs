using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.Http;

namespace FileTransfer.Tests.Http;

/// <summary>Answers that are a line of JSON after the other, as who reads them gets them.</summary>
public sealed class NdjsonTests
{
    private const int Longest = 100;

    private readonly Pipe _pipe = new();

    [Fact]
    public async Task A_line_is_read_as_soon_as_its_end_is_here_whatever_pieces_it_comes_in()
    {
        var reading = ReadAsync();
        foreach (var piece in "{\"end\":\"stored\"}\n")
        {
            reading.IsCompleted.ShouldBeFalse();
            await SendAsync($"{piece}");
        }

        (await reading)!.End.ShouldBe("stored");
        await SendAsync("{\"generation\":3}\n{}\n");
        (await ReadAsync())!.Generation.ShouldBe(3);
        (await ReadAsync()).ShouldBe(new PartsLine());
    }

    [Fact]
    public async Task What_ends_without_the_end_of_a_line_is_none()
    {
        await SendAsync("{\"end\":");
        await _pipe.Writer.CompleteAsync();
        (await ReadAsync()).ShouldBeNull();
    }

    [Theory]
    [InlineData("[1]\n")]
    [InlineData("{\"end\":\n")]
    public async Task A_line_that_is_something_else_is_refused(string line)
    {
        await SendAsync(line);
        await Should.ThrowAsync<JsonException>(ReadAsync);
    }

    [Fact]
    public async Task A_line_that_does_not_end_is_read_no_further_than_it_may_be_long()
    {
        await SendAsync(new string(' ', Longest + 1));
        (await Should.ThrowAsync<JsonException>(ReadAsync)).Message.ShouldContain($"{Longest} bytes");
    }

    private Task<PartsLine?> ReadAsync() =>
        Ndjson.ReadLineAsync(_pipe.Reader, SparseJson.Default.PartsLine, Longest, default).AsTask();

    private async Task SendAsync(string text)
    {
        _pipe.Writer.Write(Encoding.UTF8.GetBytes(text));
        await _pipe.Writer.FlushAsync();
    }
}

using System.Text.Json.Nodes;
using FileTransfer.Cli;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.Tests.Cli.Commands;

public sealed class PolicyCommandTests : IDisposable
{
    private readonly CliHarness _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_policy_is_shown_as_its_kind_and_a_line_for_each_filter()
    {
        await using var node = await StartAsync(Policy());

        var result = await _cli.RunAsync("policy", "get", CliHarness.Bucket[2..].ToUpperInvariant(), "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        result.Lines.ShouldBe(["nothing-except", "prefix:utf8:a/", "exact:hex:00ff"]);
        node.Requests.ShouldContain($"GET /v1/buckets/{CliHarness.Bucket}/policy");
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "?prune=true")]
    public async Task A_policy_is_sent_as_its_parts_and_its_effect_is_told(bool prune, string query)
    {
        JsonNode? body = null;
        var asked = "";
        await using var node = await StartAsync(
            Change(kept: prune ? 1 : 0),
            async context =>
            {
                asked = context.Request.QueryString.Value!;
                body = await JsonNode.ParseAsync(context.Request.Body);
            }
        );

        var result = await _cli.RunAsync([
            "policy",
            "set",
            CliHarness.Bucket,
            "nothing-except",
            "exact:hex:00ff",
            "prefix:utf8:a/",
            .. prune ? (string[])["--prune"] : [],
            "--url",
            node.Address,
        ]);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Lines[0].ShouldBe($"{CliHarness.Bucket} nothing-except: 3 wanted, 2 withdrawn, 1 pruned");
        result.Lines.Skip(1).ShouldBe(prune ? ["1 stay, for no other living node has them stored:", "0x77"] : []);
        asked.ShouldBe(query);
        body!.ToJsonString().ShouldBe("""{"kind":"nothing-except","filters":["prefix:utf8:a/","exact:hex:00ff"]}""");
    }

    [Fact]
    public async Task A_policy_that_takes_longer_is_waited_for_and_how_far_it_is_is_said()
    {
        var answer = Change(kept: 0);
        answer["pending"] = true;
        answer["reviewed"] = 2000;
        await using var node = await StartAsync(
            answer,
            context =>
            {
                answer["pending"] = context.Request.Method == HttpMethods.Put;
                return Task.CompletedTask;
            }
        );

        var result = await _cli.RunAsync("policy", "set", CliHarness.Bucket, "nothing-except", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok, result.Error);
        result.Error.ShouldContain("2000 files reviewed");
        result.Lines[0].ShouldBe($"{CliHarness.Bucket} nothing-except: 3 wanted, 2 withdrawn, 1 pruned");
        node.Requests.ShouldBe([$"PUT /v1/buckets/{CliHarness.Bucket}/policy", $"GET /v1/buckets/{CliHarness.Bucket}/policy"]);
    }

    [Fact]
    public async Task A_policy_is_deleted_and_its_effect_is_one_line_of_JSON()
    {
        await using var node = await StartAsync(Change(kept: 0));

        var result = await _cli.RunAsync("policy", "delete", CliHarness.Bucket, "--json", "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Ok);
        ((int)JsonNode.Parse(result.Lines.Single())!["wanted"]!).ShouldBe(3);
        node.Requests.ShouldContain($"DELETE /v1/buckets/{CliHarness.Bucket}/policy");
    }

    [Theory]
    [InlineData("nothing-except", "photos/", "'photos/'")]
    [InlineData("everything", "prefix:utf8:a", "everything-except")]
    public async Task A_malformed_policy_is_refused_with_2_and_sent_nowhere(string kind, string filter, string named)
    {
        await using var node = await StartAsync(Change(kept: 0));

        var result = await _cli.RunAsync("policy", "set", CliHarness.Bucket, kind, filter, "--url", node.Address);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain(named);
        node.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_policy_belongs_to_one_node()
    {
        await using var node = await StartAsync(Policy());

        var result = await _cli.RunAsync("policy", "get", CliHarness.Bucket, "--url", node.Address, "--url", _cli.DeadUrl());

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("one --url");
        node.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("filetransfer policy --help", "policy")]
    [InlineData("filetransfer policy set --help", "policy", "set", "0x01")]
    public async Task An_incomplete_command_line_says_where_its_help_is(string help, params string[] args)
    {
        var result = await _cli.RunAsync(args);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain($"'{help}'");
    }

    private static JsonObject Policy() =>
        new()
        {
            ["bucket"] = CliHarness.Bucket,
            ["kind"] = "nothing-except",
            ["filters"] = new JsonArray("prefix:utf8:a/", "exact:hex:00ff"),
            ["changedAt"] = "2030-01-01T00:00:00Z",
        };

    private static JsonObject Change(int kept)
    {
        var change = Policy();
        change["wanted"] = 3;
        change["withdrawn"] = 2;
        change["pruned"] = 1;
        change["kept"] = kept;
        change["keptKeys"] = kept == 0 ? [] : new JsonArray("0x77");
        return change;
    }

    private static async Task<FakeNode> StartAsync(JsonObject answer, Func<HttpContext, Task>? look = null)
    {
        var node = await FakeNode.StartAsync();
        node.Before = async context =>
        {
            if (look is not null)
            {
                await look(context);
            }

            await Results.Json(answer).ExecuteAsync(context);
            return true;
        };
        return node;
    }
}

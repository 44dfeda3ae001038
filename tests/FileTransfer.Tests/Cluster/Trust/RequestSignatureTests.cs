using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FileTransfer.Chunks.Folder;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Trust;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Identity.Signing;
using FileTransfer.Tests.Chunks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FileTransfer.Tests.Cluster.Trust;

public sealed class RequestSignatureTests : IDisposable
{
    private static readonly byte[] _body = Encoding.UTF8.GetBytes("""{"keys":[]}""");
    private static readonly PeerName _from = new("paris", new NodeId("b"));
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly NodeKey _key = NodeKey.Create();
    private readonly TestStore _store = new();
    private readonly RequestSignatures _signatures;

    public RequestSignatureTests() => _signatures = new RequestSignatures(Node("berlin", "a"), _time);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_this_program_signs_it_verifies_once()
    {
        var keys = new NodeKeyFile(_store.Store, _time);
        var signer = new RequestSigner(keys, Node("paris", "b"), _time);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://a:7070/v1/files/batch?x=%20y");
        request.Content = new ByteArrayContent(_body);
        await signer.SignAsync(request, new PeerName("berlin", new NodeId("a")), TestContext.Current.CancellationToken);
        PeerName
            .FromText(
                $"{request.Headers.GetValues(NodeHeader.Cluster).Single()}/{request.Headers.GetValues(NodeHeader.Name).Single()}"
            )
            .ShouldBe(_from);
        var text = request.Headers.GetValues(SignatureHeader.Name).Single();
        Fault(text, "POST", "/v1/files/batch?x=%20y", _body, keys.Current.Current.Public).ShouldBeNull();
        Fault(text, "POST", "/v1/files/batch?x=%20y", _body, keys.Current.Current.Public)
            .ShouldNotBeNull()
            .ShouldContain("sent before");
    }

    /// <summary>By the words of docs/protocol.md and nothing of this program.</summary>
    [Fact]
    public void Others_sign_and_verify_by_the_words_of_the_protocol()
    {
        using var plain = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        var at = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        var words = $"filetransfer-request\nGET\n/v1/sync/cursors?wait=5s\nberlin/a\nparis\nb\n{at}\n{nonce}\n{EmptyHash}";
        var signature = Base64Url.EncodeToString(plain.SignData(Encoding.UTF8.GetBytes(words), HashAlgorithmName.SHA256));
        var text = $"to=berlin/a; at={at}; nonce={nonce}; sig={signature}";
        Fault(text, "GET", "/v1/sync/cursors?wait=5s", [], PublicKey.Of(plain)).ShouldBeNull();

        var ours = RequestSigner.Sign(_key, _from, "berlin/a", _time.GetUtcNow(), "GET", "/download/12", []);
        using var verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(Convert.FromBase64String(_key.Public.ToString()), out _);
        var signed = $"filetransfer-request\nGET\n/download/12\nberlin/a\nparis\nb\n{at}\n{ours.Nonce}\n{EmptyHash}";
        verifier.VerifyData(Encoding.UTF8.GetBytes(signed), ours.Signature, HashAlgorithmName.SHA256).ShouldBeTrue();
        ours.ToString().ShouldBe($"to=berlin/a; at={at}; nonce={ours.Nonce}; sig={Base64Url.EncodeToString(ours.Signature)}");
    }

    [Fact]
    public void A_signature_is_for_one_method_path_body_sender_and_key()
    {
        Fault(Header(), "POST", "/v1/sync", _body, _key.Public).ShouldBeNull();
        string[] faults =
        [
            Fault(Header(), "PUT", "/v1/sync", _body, _key.Public)!,
            Fault(Header(), "POST", "/v1/sync?x=1", _body, _key.Public)!,
            Fault(Header(), "POST", "/v1/sync", [], _key.Public)!,
            Fault(Header(), "POST", "/v1/sync", _body, NodeKey.Create().Public)!,
            Fault(Header(), "POST", "/v1/sync", _body, _key.Public, new PeerName("paris", new NodeId("c")))!,
            Fault(Header(), "POST", "/v1/sync", _body, _key.Public, new PeerName("rome", new NodeId("b")))!,
        ];
        faults.ShouldAllBe(fault => fault.Contains("has signed this request", StringComparison.Ordinal));
    }

    [Fact]
    public void It_is_for_this_node_alone_or_for_whoever_answers_where_that_is_let_in()
    {
        SignatureHeader.OfRequest(Header("berlin/c")).ShouldNotBeNull();
        FaultOf(Header("berlin/c")).ShouldBe("it is for 'berlin/c', and this is 'berlin/a'");
        FaultOf(Header("-")).ShouldBe("it is for '-', and this is 'berlin/a'");
        _signatures.FaultOf(SignatureHeader.OfRequest(Header("-"))!, forAnybody: true).ShouldBeNull();
    }

    [Fact]
    public void A_clock_an_hour_off_is_told_by_how_much()
    {
        var header = Header();
        _time.Advance(TimeSpan.FromSeconds(60));
        FaultOf(header).ShouldBeNull();
        _time.Advance(TimeSpan.FromHours(1));
        FaultOf(header).ShouldNotBeNull().ShouldContain("3660 s behind");
        var later = Header();
        _time.AdjustTime(_time.GetUtcNow().AddHours(-1));
        FaultOf(later).ShouldNotBeNull().ShouldContain("3600 s ahead of");
    }

    [Fact]
    public void A_replay_is_refused_as_long_as_the_signature_counts()
    {
        var header = Header(at: _time.GetUtcNow().AddSeconds(60));
        Fault(header, "POST", "/v1/sync", _body, _key.Public).ShouldBeNull();
        for (var seconds = 0; seconds < 120; seconds += 10)
        {
            FaultOf(header).ShouldBeNull();
            Fault(header, "POST", "/v1/sync", _body, _key.Public).ShouldNotBeNull().ShouldContain("sent before");
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        FaultOf(header).ShouldNotBeNull();
    }

    [Fact]
    public void What_was_signed_before_this_node_started_is_refused_whichever_way_its_clock_is_set()
    {
        var time = new SettableTime();
        var restarted = new RequestSignatures(Node("berlin", "a"), time);
        Fault(-TimeSpan.FromSeconds(20)).ShouldNotBeNull().ShouldContain("signed 20 s ago, before this node started");
        Fault(TimeSpan.Zero).ShouldBeNull();
        time.SetBy = -TimeSpan.FromHours(1);
        Fault(TimeSpan.Zero).ShouldBeNull("the clock was set, and nothing else");
        time.SetBy = TimeSpan.FromHours(1);
        time.Advance(TimeSpan.FromSeconds(30));
        Fault(-TimeSpan.FromSeconds(30)).ShouldBeNull("it was signed when this node had started");
        Fault(-TimeSpan.FromSeconds(31)).ShouldNotBeNull();

        string? Fault(TimeSpan signed) =>
            restarted.FaultOf(SignatureHeader.OfRequest(Header(at: time.GetUtcNow() + signed))!, forAnybody: false);
    }

    [Fact]
    public void What_is_remembered_is_bounded_and_strangers_take_no_room_of_the_trusted()
    {
        var nonces = new SeenNonces(3, _time);
        nonces.TryAdd(SignatureHeader.NewNonce()).ShouldBe(true);
        var second = SignatureHeader.NewNonce();
        nonces.TryAdd(second).ShouldBe(true);
        nonces.TryAdd(SignatureHeader.NewNonce()).ShouldBe(true);
        nonces.TryAdd(SignatureHeader.NewNonce()).ShouldBeNull("it could not be told from its replay");
        nonces.TryAdd(second).ShouldBe(false);
        _time.Advance(SeenNonces.Period);
        nonces.TryAdd(second).ShouldBe(false);
        nonces.TryAdd(SignatureHeader.NewNonce()).ShouldBe(true);
        _time.Advance(2 * SeenNonces.Period);
        nonces.TryAdd(second).ShouldBe(true);
    }

    [Fact]
    public void Headers_of_another_form_are_none()
    {
        var good = Header();
        SignatureHeader.OfRequest(good)!.ToString().ShouldBe(good);
        foreach (
            var text in (string?[])
                [
                    null,
                    "",
                    good[..^1],
                    good + "=",
                    good + "; x=1",
                    good.Replace("; ", ";", StringComparison.Ordinal),
                    good.Replace("to=berlin/a", "to=berlin", StringComparison.Ordinal),
                    good.Replace("at=", "at=-", StringComparison.Ordinal),
                    good.Replace("nonce=", "nonce=AAAA", StringComparison.Ordinal),
                    good.Replace("to=berlin/a; ", "", StringComparison.Ordinal),
                ]
        )
        {
            SignatureHeader.OfRequest(text).ShouldBeNull(text);
        }
    }

    [Fact]
    public void An_answer_is_that_of_its_request_and_of_its_body()
    {
        var keys = new NodeKeyFile(_store.Store, _time);
        var http = new DefaultHttpContext();
        var nonce = SignatureHeader.NewNonce();
        new RequestSigner(keys, Node("paris", "b"), _time).SignAnswer(http.Response, nonce, _body);
        using var answer = new HttpResponseMessage();
        foreach (var (name, value) in http.Response.Headers)
        {
            answer.Headers.TryAddWithoutValidation(name, value.AsEnumerable());
        }

        RequestSignatures.SenderOf(answer).ShouldBe(_from);
        IsAnswer(nonce, _body, _from, keys.Current.Current.Public).ShouldBeTrue();
        IsAnswer(SignatureHeader.NewNonce(), _body, _from, keys.Current.Current.Public).ShouldBeFalse();
        IsAnswer(nonce, [], _from, keys.Current.Current.Public).ShouldBeFalse();
        IsAnswer(nonce, _body, new PeerName("paris", new NodeId("c")), keys.Current.Current.Public).ShouldBeFalse();
        IsAnswer(nonce, _body, _from, _key.Public).ShouldBeFalse();

        bool IsAnswer(string nonce, byte[] body, PeerName from, PublicKey key) =>
            RequestSignatures.IsAnswerOf(answer, from, nonce, body, [key]);
    }

    [Fact]
    public async Task A_body_is_read_again_by_who_comes_next_and_a_long_one_is_not_taken()
    {
        var request = new DefaultHttpContext().Request;
        request.Body = new MemoryStream(_body);
        (await RequestSignatures.ReadBodyAsync(request, TestContext.Current.CancellationToken)).ShouldBe(_body);
        (await new StreamReader(request.Body).ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("""{"keys":[]}""");
        request.Body = new MemoryStream(new byte[RequestSignatures.LongestBody + 1]);
        (await RequestSignatures.ReadBodyAsync(request, TestContext.Current.CancellationToken)).ShouldBeNull();
        request.ContentLength = RequestSignatures.LongestBody + 1;
        (await RequestSignatures.ReadBodyAsync(request, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    private static ThisNode Node(string cluster, string node) =>
        new(Options.Create(new NodeOptions { ClusterId = cluster, NodeId = node }), null!, null!);

    private string Header(string to = "berlin/a", DateTimeOffset? at = null) =>
        RequestSigner.Sign(_key, _from, to, at ?? _time.GetUtcNow(), "POST", "/v1/sync", _body).ToString();

    private string? FaultOf(string header) => _signatures.FaultOf(SignatureHeader.OfRequest(header)!, forAnybody: false);

    private string? Fault(string header, string method, string target, byte[] body, PublicKey key, PeerName? from = null)
    {
        var http = new DefaultHttpContext();
        http.Request.Method = method;
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        return _signatures.FaultOfSignature(
            http.Request,
            from ?? _from,
            SignatureHeader.OfRequest(header)!,
            body,
            [key],
            isTrusted: true
        );
    }

    /// <summary>Its wall clock is set, and what it measures goes on: that of the base class jumps with it.</summary>
    private sealed class SettableTime : FakeTimeProvider
    {
        public TimeSpan SetBy { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + SetBy;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }
}

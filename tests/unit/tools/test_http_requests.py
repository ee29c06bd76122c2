"""HTTP requests by the rules: where they go, what they carry there, and what is kept of answers."""

import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.settings import PROJECT
from schemas.core.configuration import PolicyFileError
from tests.support.certificates import issue
from tests.support.flows.http_steps import SECRET, here, rules
from tests.support.flows.other_side import OtherSide, Said, said_json
from tools.http_requests.content import LARGEST_BODY
from tools.http_requests.http_file import HostLine
from tools.http_requests.masking import HIDDEN, Mask
from tools.http_requests.rules import HttpRules, SecretUnusable
from tools.http_requests.sender import HttpSender, OutgoingRequest, RequestAnswer, RequestFault

LOCAL = "127.0.0.1"


@pytest.fixture
def side() -> Iterator[OtherSide]:
    with OtherSide() as listening:
        yield listening


def request(url: str, method: str = "GET", **more: Any) -> OutgoingRequest:
    given: dict[str, Any] = {"method": method, "url": url, "headers": {}, "seconds": 20.0}
    return OutgoingRequest(**given | more)


def sender(hosts: Mapping[str, HostLine], leads_to: Sequence[str] = (LOCAL,)) -> HttpSender:
    """A sender for which every name leads to these addresses."""
    return HttpSender(rules(hosts), resolver=lambda *_: leads_to)


def ask(hosts: Mapping[str, HostLine], url: str, method: str = "GET", **more: Any) -> Any:
    return sender(hosts).send(request(url, method, **more))


def test_an_answer_is_json_where_it_is_json_and_text_elsewhere(side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port)}
    side.behaviour = lambda _: said_json({"id": 7}, headers={"X-Request-Id": "r1", "Set-Cookie": "a=b"})
    assert ask(hosts, side.url) == RequestAnswer(
        status=200, headers={"content-type": "application/json", "x-request-id": "r1"}, body={"id": 7}
    )
    side.behaviour = lambda _: Said(
        404, {"Content-Type": "text/plain; charset=gb18030"}, "没有".encode("gb18030")
    )
    assert ask(hosts, side.url).body == "没有"
    side.behaviour = lambda _: Said(204)
    assert ask(hosts, side.url).body is None
    side.behaviour = lambda _: Said(body=b'[1, "a"]')
    assert ask(hosts, side.url).body == [1, "a"]
    side.behaviour = lambda _: said_json({"a": 1})
    assert ask(hosts, side.url, "HEAD").body is None
    side.behaviour = lambda _: Said(headers={"Content-Type": "text/plain"}, body=b"a\x00b\xff")
    assert ask(hosts, side.url).body == "a�b�"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://elsewhere.example/", "'elsewhere.example' is not in config/http.yaml"),
        ("https://public.example:8443/", "may not be asked at port 8443"),
        ("http://public.example/", "is asked over https alone"),
        ("https://readable.example/", "may not be asked by POST"),
        ("https://user:word@public.example/", "must hold no name or password"),
        ("ftp://public.example/", "must be as https://"),
        ("https://2130706433/", "must be a name"),
        ("https://public.example/\r\nx: y", "printable ASCII"),
        ("https://public.example./", "is not in config/http.yaml"),
    ],
)
def test_what_the_rules_do_not_name_is_not_asked(url: str, said: str) -> None:
    hosts = {"public.example": HostLine(), "readable.example": HostLine(methods=frozenset({"GET"}))}
    fault = sender(hosts).send(request(url, "POST"))
    assert isinstance(fault, RequestFault)
    assert (fault.code, fault.may_have_acted) == ("not_allowed", False)
    assert said in fault.message


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "fd00::1",
     "224.0.0.1", "0.0.0.0", "100.64.0.1", "64:ff9b::a00:1", "240.0.0.1"],
)  # fmt: skip
def test_a_name_that_leads_into_our_network_is_not_asked(address: str, side: OtherSide) -> None:
    hosts = {"public.example": HostLine(ports=frozenset({side.port}), http=True)}
    for leads_to in ([address], ["203.0.114.1", address]):
        fault = sender(hosts, leads_to).send(request(f"http://public.example:{side.port}/"))
        assert isinstance(fault, RequestFault)
        assert fault.code == "not_allowed"
        assert "no machine of the public internet" in fault.message
    assert side.asked == []


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_spoken_to(side: OtherSide) -> None:
    asked: list[str] = []

    def changing(host: str, *_: object) -> list[str]:
        """The first answer leads to the server, every further one elsewhere."""
        asked.append(host)
        return [LOCAL] if len(asked) == 1 else ["192.0.2.1"]

    made = HttpSender(rules({"stock.internal": here(side.port)}), resolver=changing)
    assert isinstance(made.send(request(f"http://stock.internal:{side.port}/")), RequestAnswer)
    assert asked == ["stock.internal"]
    assert side.asked[0].headers["host"] == f"stock.internal:{side.port}"


def test_the_certificate_must_name_the_host_that_was_asked_for(tmp_path: Path) -> None:
    certificate, key = issue(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate))

    with OtherSide(serving) as side:
        hosts = {LOCAL: here(side.port), "pay.example": here(side.port)}
        made = HttpSender(rules(hosts), resolver=lambda *_: [LOCAL], make_tls=trusting)
        assert isinstance(made.send(request(f"https://{LOCAL}:{side.port}/")), RequestAnswer)
        fault = made.send(request(f"https://pay.example:{side.port}/", "POST"))
        assert isinstance(fault, RequestFault)
        assert (fault.code, fault.may_have_acted) == ("unavailable", False)
        assert len(side.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_checked_anew_by_the_same_rule(status: int, side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port), "inside.example": HostLine()}
    for location in (
        "https://169.254.169.254/latest",
        "https://inside.example/",
        "file:///etc/passwd",
        "//[",
    ):
        side.behaviour = lambda _, to=location: Said(status, {"Location": to})  # type: ignore[misc]
        fault = ask(hosts, side.url, "GET")
        assert isinstance(fault, RequestFault)
        assert fault.code == "not_allowed"


def test_five_redirects_are_followed_and_no_more(side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port)}

    def counting_down(asked: Any) -> Said:
        left = int(asked.path[1:])
        return Said(302, {"Location": f"/{left - 1}"}) if left else said_json(asked.method)

    side.behaviour = counting_down
    assert ask(hosts, f"{side.url}/5").body == "GET"
    fault = ask(hosts, f"{side.url}/6")
    assert (fault.code, fault.message) == ("not_allowed", "more than 5 redirects")


def test_a_redirect_keeps_the_method_or_becomes_a_get_as_its_status_says(side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port)}
    for status, method in ((303, "GET"), (302, "GET"), (301, "GET"), (307, "POST"), (308, "POST")):
        side.behaviour = lambda asked, status=status: (  # type: ignore[misc]
            Said(status, {"Location": "/there"}) if asked.path == "/" else said_json(asked.body.decode())
        )
        answer = ask(hosts, f"{side.url}/", "POST", body=b"x", headers={"content-type": "text/plain"})
        assert answer.body == ("x" if method == "POST" else "")
        assert side.asked[-1].method == method
        assert ("content-type" in side.asked[-1].headers) == (method == "POST")


def test_another_host_is_given_no_secret(side: OtherSide) -> None:
    hosts = {"first.example": here(side.port), "second.example": here(side.port)}
    made = sender(hosts)

    def redirecting(asked: Any) -> Said:
        first = asked.headers["host"].startswith("first")
        to = f"http://second.example:{side.port}/there"
        return Said(307, {"Location": to}) if first else said_json("there")

    side.behaviour = redirecting
    first = f"http://first.example:{side.port}/"
    headers = {"x-key": f"Key {SECRET}", "authorization": "Basic x", "cookie": "a", "x-plain": "kept"}
    assert isinstance(made.send(request(first, headers=headers)), RequestAnswer)
    there = side.asked[-1].headers
    assert there["x-plain"] == "kept"
    assert not {"x-key", "authorization", "cookie"} & there.keys()
    for more in ({"body": SECRET.encode()}, {"callback": True}):
        count = len(side.asked)
        fault = made.send(request(first, "POST", **more))
        assert isinstance(fault, RequestFault)
        assert (fault.code, fault.may_have_acted, len(side.asked)) == ("not_allowed", False, count + 1)


def test_a_body_is_read_as_far_as_it_may_go(side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port)}
    ten_megabytes = bytes(10_000_000)
    for said in (
        Said(body=ten_megabytes),
        Said(chunks=repeat(b"x" * 10_000)),
        Said(body=b"x" * (LARGEST_BODY + 1)),
    ):
        side.behaviour = lambda _, said=said: said  # type: ignore[misc]
        fault = ask(hosts, side.url)
        assert (fault.code, fault.message) == (
            "too_large",
            "the answer with status 200 has more than 262,144 bytes",
        )
    side.behaviour = lambda _: Said(headers={"Content-Type": "text/plain"}, body=b"x" * LARGEST_BODY)
    assert len(ask(hosts, side.url).body) == LARGEST_BODY


def test_a_body_that_comes_too_slowly_ends_with_its_time(side: OtherSide) -> None:
    over = threading.Event()

    def drops() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b"x"

    side.behaviour = lambda _: Said(chunks=drops())
    fault = ask({LOCAL: here(side.port)}, side.url, "POST", seconds=0.5)
    over.set()
    assert (fault.code, fault.may_have_acted) == ("timeout", True)


@pytest.mark.parametrize(
    "said",
    [
        Said(headers={"Content-Type": "application/json"}, body=b"{not json"),
        Said(headers={"Content-Type": "application/problem+json"}, body=b'"\\u0000"'),
        Said(headers={"Content-Type": "application/json"}, body=b"[" * 65 + b"]" * 65),
        Said(headers={"Content-Type": "application/json"}, body=b"[" * 100_000 + b"]" * 100_000),
        Said(headers={"Content-Type": "application/json"}, body=b"NaN"),
        Said(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b"),
        Said(raw=b"this is no HTTP\r\n\r\n"),
        Said(raw=b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000),
    ],
)
def test_what_is_no_answer_is_invalid_output(said: Said, side: OtherSide) -> None:
    side.behaviour = lambda _: said
    fault = ask({LOCAL: here(side.port)}, side.url)
    assert isinstance(fault, RequestFault)
    assert fault.code == "invalid_output"


def test_whether_a_request_may_have_acted_is_known(side: OtherSide) -> None:
    hosts = {LOCAL: here(side.port, 1)}
    side.behaviour = lambda _: Said(drop=True)
    for method, acted in (("POST", True), ("PATCH", True), ("GET", False), ("PUT", False)):
        fault = ask(hosts, side.url, method)
        assert isinstance(fault, RequestFault)
        assert fault.may_have_acted is acted
    refused = ask(hosts, f"http://{LOCAL}:1/", "POST")
    assert (refused.code, refused.may_have_acted) == ("unavailable", False)


def test_an_answer_that_breaks_off_is_no_answer(side: OtherSide) -> None:
    for raw in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"):
        side.behaviour = lambda _, raw=raw: Said(raw=raw)  # type: ignore[misc]
        fault = ask({LOCAL: here(side.port)}, side.url)
        assert (fault.code, fault.message) == (
            "unavailable",
            "the connection to '127.0.0.1' broke: ConnectionError",
        )


def test_a_name_that_nobody_knows_is_unavailable() -> None:
    def nowhere(*_: object) -> list[str]:
        raise OSError("no such name")

    made = HttpSender(rules({"pay.example": HostLine()}), resolver=nowhere)
    fault = made.send(request("https://pay.example/", "POST"))
    assert isinstance(fault, RequestFault)
    assert (fault.code, fault.may_have_acted) == ("unavailable", False)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        "s3cret%2Fof%2Bthe%20pay",
        "s3cret/of%2Bthe%20pay",
        "s3cret%2Fof%2Bthe+pay",
        "czNjcmV0L29mK3RoZSBwYXk=",
    ],
)
def test_a_secret_that_is_sent_back_is_not_kept(form: str, side: OtherSide) -> None:
    side.behaviour = lambda _: said_json(
        {"you said": [f"a {form} b"], form: 1}, 400, {"Location": f"/?key={form}"}
    )
    answer = ask({LOCAL: here(side.port)}, side.url)
    assert answer.body == {"you said": [f"a {HIDDEN} b"], HIDDEN: 1}
    assert answer.headers["location"] == f"/?key={HIDDEN}"


def test_a_secret_of_digits_is_found_in_a_number() -> None:
    assert Mask.of(["12345678"]).value({"n": [12345678, 9, 1.5, True, None]}) == {
        "n": [HIDDEN, 9, 1.5, True, None]
    }


def test_a_secret_must_be_known_set_and_long_enough() -> None:
    made = HttpRules(
        {},
        {"A": "UNPEND_SECRET_A", "B": "UNPEND_SECRET_B", "C": "UNPEND_SECRET_C"},
        {"UNPEND_SECRET_B": SecretStr("short"), "UNPEND_SECRET_C": SecretStr("two\nlines of it")},
    )
    for name, said in (("X", "no secret 'X'"), ("A", "is not set"), ("B", "8 or more"), ("C", "8 or more")):
        with pytest.raises(SecretUnusable, match=said) as caught:
            made.secrets([name])
        assert "short" not in str(caught.value)
    assert "two" not in repr(made)


def test_the_shipped_file_allows_nothing_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    assert not HttpRules.read(PROJECT / "config", {}).hosts
    for wrong in ("hosts: {A.example: {}}", "hosts: {a.example: {methods: [TRACE]}}", "secrets: {A: PATH}"):
        (tmp_path / "http.yaml").write_text(wrong, encoding="utf-8")
        with pytest.raises(PolicyFileError):
            HttpRules.read(tmp_path, {})

"""Artifacts are kept with their events, never change, and are read by who may see them, whole or in pieces."""

from datetime import timedelta
from typing import Any

import pytest

from api.outbound.byte_range import ByteRange, UnsatisfiableRange
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.outbound.artifacts import LARGEST, ArtifactKind
from storage.access.keys import Keys
from storage.access.system_audit import SystemAudit
from storage.engine.clock import BusinessClock
from storage.outbound.artifacts import Artifacts
from tasks.outbound.artifacts import LOOKED_AT, keep, refer
from tests.support.api.client import ApiClient, key_of
from tests.support.outbound.made_artifacts import WORDS, artifact_of, ready
from tests.support.probe import Probe

RUN = "exec_of_the_tests"
REPORT = "# 日报\n\n一切正常\n"
CONTENT = REPORT.encode()


@pytest.fixture
def reader(api: ApiClient) -> str:
    """Somebody who may look, and sees no words."""
    with api.house.database.transaction() as work:
        Keys(work).register(key_of("viewer"), "viewer", [Scope.READ.value])
    return "viewer"


def kept(api: ApiClient, **changes: Any) -> str:
    """The reference of an artifact that was recorded with its event, as a step does it."""
    given: dict[str, Any] = {
        "kind": ArtifactKind.REPORT,
        "media_type": "text/markdown; charset=utf-8",
    } | changes
    content = given.pop("content", REPORT)
    new = keep(ready(RUN), given.pop("name", "daily-report.md"), content, **given)
    with api.house.engine.transaction() as transaction:
        transaction.write(new.effects)
    (event,) = Probe(api.house.database).values(
        "SELECT artifact_ref FROM events ORDER BY event_id DESC LIMIT 1"
    )
    assert event == new.reference
    return new.reference


def path_in(reference: str) -> str:
    assert reference.startswith("workspace://artifacts/")
    return "/artifacts/" + reference.removeprefix("workspace://artifacts/")


def looks(api: ApiClient) -> list[dict[str, Any]]:
    with api.house.database.transaction() as work:
        return [{"actor": each.actor, **each.detail} for each in SystemAudit(work).recent(what=LOOKED_AT)]


def test_an_artifact_is_read_by_the_reference_of_its_event(api: ApiClient, reader: str) -> None:
    answer = api.get(path_in(kept(api)), reader)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert looks(api) == []


def test_an_artifact_and_its_event_are_recorded_together_or_not_at_all(api: ApiClient) -> None:
    new = keep(ready(RUN), "a.log", b"x", kind=ArtifactKind.LOG, media_type="text/plain")

    def broken() -> None:
        with api.house.engine.transaction() as transaction:
            transaction.write(new.effects)
            raise KeyError("the step is not recorded")

    with pytest.raises(KeyError):
        broken()
    count = "SELECT (SELECT count(*) FROM artifacts) + (SELECT count(*) FROM events)"
    assert Probe(api.house.database).value(count) == 0


def test_the_same_content_again_is_the_same_version_and_another_is_another(api: ApiClient) -> None:
    first, again, other = kept(api), kept(api), kept(api, content="# 另一份\n")
    assert first == again != other
    assert api.get(path_in(first)).content == CONTENT
    assert api.get(path_in(other)).text == "# 另一份\n"


def test_what_is_sensitive_is_shown_to_who_sees_words_and_each_look_is_on_record(
    api: ApiClient, reader: str
) -> None:
    path = path_in(kept(api, content=WORDS, sensitive=True))
    refused = api.get(path, reader)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, Code.FORBIDDEN)
    assert WORDS not in refused.text
    assert looks(api) == []
    shown = api.get(path, headers={"X-Request-ID": "look-1"})
    assert shown.text == WORDS
    assert shown.headers["cache-control"] == "no-store"
    api.get(path, headers={"Range": "bytes=0-2"})
    second, first = looks(api)
    assert (first["actor"], first["request_id"], first["execution_id"]) == ("admin", "look-1", RUN)
    assert (second["first"], second["bytes"]) == (0, 3)


def test_what_is_sensitive_is_encrypted_where_it_lies(api: ApiClient) -> None:
    kept(api, content=WORDS, sensitive=True)
    stored = Probe(api.house.database).value("SELECT content FROM artifacts")
    assert WORDS.encode() not in bytes(stored)


@pytest.mark.parametrize("sensitive", [False, True])
@pytest.mark.parametrize(
    ("asked", "status", "piece"),
    [
        ("bytes=0-2", 206, CONTENT[:3]),
        ("bytes=2-", 206, CONTENT[2:]),
        ("bytes=-4", 206, CONTENT[-4:]),
        ("bytes=-1000", 206, CONTENT),
        ("bytes=3-100000", 206, CONTENT[3:]),
        ("bytes=0-1,3-4", 200, CONTENT),
        ("bytes=5-3", 200, CONTENT),
        ("lines=1-2", 200, CONTENT),
        ("nonsense", 200, CONTENT),
    ],
)
def test_a_range_is_answered_with_its_piece(
    api: ApiClient, sensitive: bool, asked: str, status: int, piece: bytes
) -> None:
    answer = api.get(path_in(kept(api, sensitive=sensitive)), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, piece)
    if status == 206:
        first = CONTENT.index(piece)
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(piece) - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=-0"])
def test_a_range_of_which_there_is_nothing_is_refused_in_the_form_of_every_error(
    api: ApiClient, asked: str
) -> None:
    answer = api.get(path_in(kept(api)), headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (416, Code.RANGE_NOT_SATISFIABLE)
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_a_range_counts_for_the_version_it_was_asked_of(api: ApiClient) -> None:
    path = path_in(kept(api))
    tag = api.get(path).headers["etag"]
    assert api.get(path, headers={"Range": "bytes=0-2", "If-Range": tag}).status_code == 206
    assert api.get(path, headers={"Range": "bytes=0-2", "If-Range": '"another"'}).content == CONTENT
    assert api.get(path, headers={"If-None-Match": f'"another", {tag}'}).status_code == 304


def test_nothing_is_found_that_is_not_there_is_over_or_was_erased(api: ApiClient) -> None:
    with api.house.database.transaction() as work:
        now = BusinessClock(work).now().business_now
        over = artifact_of(RUN, now - timedelta(seconds=1), content="over")
        erased = artifact_of(RUN, content="erased")
        Artifacts(work).keep([over, erased])
        work.connection.exec_driver_sql("UPDATE artifacts SET content = NULL WHERE path = %s", (erased.path,))
    for path in (over.path, erased.path, f"{RUN}/none.md", RUN):
        answer = api.get(f"/artifacts/{path}")
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == Code.NOT_FOUND


def test_a_recording_is_kept_by_reference_and_its_address_is_not_told(api: ApiClient, reader: str) -> None:
    new = refer(ready(RUN), "call.mp3", "https://provider.example/secret.mp3", media_type="audio/mpeg")
    with api.house.engine.transaction() as transaction:
        transaction.write(new.effects)
    path = path_in(new.reference)
    assert api.get(path, reader).status_code == 403
    answer = api.get(path)
    assert answer.status_code == 409
    assert "provider.example" not in answer.text + repr(new)


def test_an_artifact_has_at_most_eight_mebibytes() -> None:
    kind = {"kind": ArtifactKind.EXPORT, "media_type": "text/csv"}
    assert keep(ready(RUN), "a.csv", b"x" * LARGEST, **kind).effects  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most"):
        keep(ready(RUN), "a.csv", b"x" * (LARGEST + 1), **kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("../a", "text/csv"), ("", "text/csv"), ("a b", "text/csv"), ("a", "text/csv\r\nX: y")],
)
def test_a_name_or_media_type_that_may_stand_in_no_header_is_refused(name: str, media_type: str) -> None:
    with pytest.raises(ValueError, match="of an artifact"):
        keep(ready(RUN), name, b"x", kind=ArtifactKind.EXPORT, media_type=media_type)


def test_of_nothing_there_is_no_range() -> None:
    with pytest.raises(UnsatisfiableRange):
        ByteRange.asked("bytes=0-", 0)
    assert ByteRange.asked(None, 0) is None

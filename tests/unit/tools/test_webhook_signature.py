"""Signatures of outgoing webhooks are those of Standard Webhooks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.webhooks.signature import SECRET_PREFIX, new_secret, sign, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_is_signed_as_published() -> None:
    assert sign(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE


def test_the_headers_carry_id_time_and_signature() -> None:
    assert signed_headers([SECRET], MESSAGE_ID, TIMESTAMP, BODY) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": SIGNATURE,
    }


def test_while_a_secret_is_changed_both_sign() -> None:
    other = new_secret()
    headers = signed_headers([other, SECRET], MESSAGE_ID, TIMESTAMP, BODY)
    signatures = headers["webhook-signature"].split(" ")
    assert signatures == [sign(other, MESSAGE_ID, TIMESTAMP, BODY), SIGNATURE]


def test_a_new_secret_is_its_prefix_and_thirty_two_bytes_of_chance() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert len(base64.b64decode(one.removeprefix(SECRET_PREFIX), validate=True)) == 32


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", "whsec_abc", "whsec_"]
)
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|base64|padding|Non-base64|Only base64"):
        sign(secret, MESSAGE_ID, TIMESTAMP, BODY)


@given(st.text(max_size=64), st.text(max_size=64), st.integers(0, 2**33), st.integers(0, 2**33))
def test_another_body_or_another_time_has_another_signature(
    body: str, other: str, at: int, later: int
) -> None:
    same = (body, at) == (other, later)
    assert (
        sign(SECRET, MESSAGE_ID, at, body.encode()) == sign(SECRET, MESSAGE_ID, later, other.encode())
    ) is same

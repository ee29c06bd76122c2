"""Encryption at rest: only this key, only this place, only untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cipher import Cipher, SealedText, UnreadableCiphertext, is_printed, name_of_key
from runtime.settings import Settings

PHONE = "13800138000"
PLACE = "tasks.phone.HT1"
CIPHER = Cipher(Cipher.new_key())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(TEXTS, TEXTS)
def test_what_was_encrypted_for_a_place_is_read_there(text: str, place: str) -> None:
    assert CIPHER.decrypt(CIPHER.encrypt(text, place), place) == text


def test_the_same_text_never_looks_the_same_and_never_shows() -> None:
    stored = {CIPHER.encrypt(PHONE, PLACE) for _ in range(100)}
    assert len(stored) == 100
    assert not any(PHONE.encode() in value for value in stored)


def test_another_key_reads_nothing() -> None:
    with pytest.raises(UnreadableCiphertext):
        Cipher(Cipher.new_key()).decrypt(CIPHER.encrypt(PHONE, PLACE), PLACE)


def test_a_value_that_was_moved_to_another_place_is_not_read() -> None:
    with pytest.raises(UnreadableCiphertext, match=r"tasks\.phone\.HT2"):
        CIPHER.decrypt(CIPHER.encrypt(PHONE, PLACE), "tasks.phone.HT2")


@given(st.data())
def test_a_value_with_any_bit_changed_is_not_read(data: st.DataObject) -> None:
    stored = bytearray(CIPHER.encrypt(PHONE, PLACE))
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(UnreadableCiphertext):
        CIPHER.decrypt(bytes(stored), PLACE)


@pytest.mark.parametrize("length", [0, 7, 8, 12, 27, 38])
def test_a_value_that_was_cut_is_not_read(length: int) -> None:
    with pytest.raises(UnreadableCiphertext):
        CIPHER.decrypt(CIPHER.encrypt(PHONE, PLACE)[:length], PLACE)


def test_an_unreadable_value_is_not_shown() -> None:
    stored = CIPHER.encrypt(PHONE, PLACE)
    with pytest.raises(UnreadableCiphertext) as refusal:
        CIPHER.decrypt(stored, "elsewhere")
    assert PHONE not in str(refusal.value)
    assert stored.hex() not in str(refusal.value)


def test_keys_are_fresh_and_usable_with_or_without_padding() -> None:
    key = Cipher.new_key()
    assert key != Cipher.new_key()
    assert Cipher(key + "=").decrypt(Cipher(key).encrypt(PHONE, PLACE), PLACE) == PHONE


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused_by_the_settings_name(length: int) -> None:
    import base64

    key = base64.urlsafe_b64encode(b"k" * length).decode()
    with pytest.raises(ValueError, match=f"holds {length} bytes, it needs 32; see UNPEND_CIPHER_KEY"):
        Cipher(key)


@pytest.mark.parametrize("key", ["x", "é" * 43])
def test_a_key_that_is_no_base64_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the library's words, whatever they are
        Cipher(key)
    assert key not in str(refusal.value) or len(key) == 1


OLD_KEY, KEY = Cipher.new_key(), Cipher.new_key()


@given(text=st.text())
def test_what_a_former_key_encrypted_is_read_and_what_is_written_names_the_current_one(text: str) -> None:
    both = Cipher(KEY, [OLD_KEY])
    assert both.decrypt(Cipher(OLD_KEY).encrypt(text, PLACE), PLACE) == text
    assert both.open_text(Cipher(OLD_KEY).seal_text(text, PLACE), PLACE) == text
    assert Cipher(KEY).decrypt(both.encrypt(text, PLACE), PLACE) == text
    assert Cipher(KEY).open_text(both.seal_text(text, PLACE), PLACE) == text


def test_a_ciphertext_names_its_key_and_the_name_tells_nothing_of_it() -> None:
    stored = Cipher(KEY).encrypt(PHONE, PLACE)
    assert stored[1:5].hex() == name_of_key(KEY)
    assert name_of_key(KEY) not in KEY


def test_a_value_from_before_keys_had_names_is_read_with_whichever_opens_it() -> None:
    nameless = Cipher(OLD_KEY).encrypt(PHONE, PLACE)[5:]
    assert Cipher(KEY, [OLD_KEY]).decrypt(nameless, PLACE) == PHONE
    with pytest.raises(UnreadableCiphertext):
        Cipher(KEY).decrypt(nameless, PLACE)


@given(text=st.text().filter(lambda text: not is_printed(text)))
def test_a_text_in_clear_from_before_is_given_back_as_it_is(text: str) -> None:
    assert CIPHER.open_text(text, PLACE) == text


def test_a_sealed_text_is_told_by_its_form_and_is_not_read_elsewhere() -> None:
    printed = CIPHER.seal_text(PHONE, PLACE)
    assert is_printed(printed)
    sealed = SealedText(printed, PLACE, CIPHER)
    assert sealed.open() == PHONE
    assert printed not in repr(sealed)
    with pytest.raises(UnreadableCiphertext):
        CIPHER.open_text(printed, "somewhere else")


def test_the_keys_of_the_settings_are_the_current_one_and_the_former_ones() -> None:
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://",
            "broker_url": "redis://",
            "callback_secret": "a",
            "cipher_key": KEY,
            "cipher_keys_old": f"{OLD_KEY}, ",
            "index_key": KEY,
        }
    )
    cipher = Cipher.of_settings(settings)
    assert cipher.key_name == name_of_key(KEY)
    assert cipher.decrypt(Cipher(OLD_KEY).encrypt(PHONE, PLACE), PLACE) == PHONE
    with pytest.raises(ValueError, match="UNPEND_INDEX_KEY must be set"):
        Settings.model_validate({**settings.model_dump(), "index_key": None})


@pytest.mark.parametrize("length", [38, 41, 80])
def test_a_text_that_only_looks_encrypted_is_unreadable_and_nothing_worse(length: int) -> None:
    with pytest.raises(UnreadableCiphertext):
        CIPHER.open_text(f"enc1.{CIPHER.key_name}.{'A' * length}", PLACE)

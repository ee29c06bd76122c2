"""`unpend privacy`: a customer is forgotten, old data go, keys change."""

import json

from fleet.installation import Installation, made_as_document
from runtime.blind_index import BlindIndex, derived_key
from runtime.cipher import Cipher
from runtime.phone import normalise
from storage.core.database import Database
from storage.orders.contacts.contacts import Contacts
from storage.orders.orders import Orders
from storage.orders.upkeep.privacy import Privacy
from tests.support.command_line import CommandLine
from tests.support.factories import READY, answered, silent, submission
from tests.support.in_process_fleet import CIPHER_KEY
from tests.support.probe import Probe

NUMBER = "13964801234"


def order_of(fleet: CommandLine, *script: dict[str, object]) -> str:
    given = submission(*script, metadata={"phone": NUMBER, "customer_id": "CUST-1"})
    fleet.house.accept(given)
    fleet.house.run()
    return given.body.task_id


def phone_of(fleet: CommandLine, task_id: str) -> str | None:
    with fleet.house.database.transaction() as work:
        return Orders(work).find([task_id])[task_id].phone


def test_a_customer_is_erased_once_it_was_confirmed(fleet: CommandLine) -> None:
    task_id = order_of(fleet, answered(READY))
    assert fleet.run("privacy", "erase", "--customer", "CUST-1", given="n\n").exit_code != 0
    assert phone_of(fleet, task_id) == f"+86{NUMBER}"
    result = fleet.run("privacy", "erase", "--customer", "CUST-1", given="y\n")
    assert result.exit_code == 0, result.output
    assert "1 orders" in result.stdout
    assert phone_of(fleet, task_id) is None


def test_the_number_can_be_asked_for_and_is_never_shown(fleet: CommandLine) -> None:
    task_id = order_of(fleet, answered(READY))
    result = fleet.run("privacy", "erase", "--phone", "-", "--yes", given=f"{NUMBER}\n")
    assert result.exit_code == 0, result.output
    assert NUMBER not in result.output
    assert phone_of(fleet, task_id) is None


def test_an_open_order_stands_against_it_unless_it_is_cancelled(fleet: CommandLine) -> None:
    task_id = order_of(fleet, silent())
    result = fleet.run("privacy", "erase", "--customer", "CUST-1", "--yes")
    assert result.exit_code != 0
    assert task_id in result.stderr
    assert phone_of(fleet, task_id) is not None
    document = fleet.read("privacy", "erase", "--customer", "CUST-1", "--yes", "--cancel")
    assert document["cancelled"] == [task_id]
    assert phone_of(fleet, task_id) is None


def test_whom_to_erase_must_be_named(fleet: CommandLine) -> None:
    assert fleet.run("privacy", "erase", "--yes").exit_code == 2
    assert fleet.run("privacy", "erase", "--phone", "138****0000", "--yes").exit_code == 2


def test_a_dry_run_counts_and_removes_nothing(fleet: CommandLine) -> None:
    order_of(fleet, answered(READY))
    Probe(fleet.house.database).write(
        "UPDATE contact_logs SET contact_time = contact_time - interval '200 days'"
    )
    assert fleet.read("privacy", "retain", "--dry-run")["transcripts"] == 1
    assert fleet.read("privacy", "retain")["transcripts"] == 1
    assert fleet.read("privacy", "retain")["transcripts"] == 0


def test_a_new_key_waits_for_the_next_start_and_the_old_one_is_dropped_when_nothing_names_it(
    fleet: CommandLine,
) -> None:
    task_id = order_of(fleet, answered(READY))
    installation = Installation(fleet.data_dir)
    index_key = installation.secrets().index_key
    assert fleet.run("privacy", "rotate-key").exit_code == 0
    assert installation.secrets().cipher_key == CIPHER_KEY
    taken = installation.take_up_next_key()
    # The API has the key it was started with.
    fleet.take_api_away()
    assert (taken.cipher_key != CIPHER_KEY, taken.old_cipher_keys, taken.index_key) == (
        True,
        (CIPHER_KEY,),
        index_key,
    )
    document = fleet.read("privacy", "reencrypt", "--drop")
    assert document["written"]["tasks.phone"] == 1
    assert (document["left"], document["dropped"]) == ({}, 1)
    assert installation.secrets().old_cipher_keys == ()
    assert CIPHER_KEY not in (fleet.data_dir / "secrets.json").read_text()
    with (
        Database(fleet.house.settings.database_url.get_secret_value(), Cipher(taken.cipher_key)) as database,
        database.transaction() as work,
    ):
        (contact,) = Contacts(work).of_task(task_id)
        assert contact.transcript == READY


def test_a_key_that_something_still_names_is_not_dropped(fleet: CommandLine) -> None:
    order_of(fleet, answered(READY))
    fleet.run("privacy", "rotate-key")
    installation = Installation(fleet.data_dir)
    taken = installation.take_up_next_key()
    # The API has the key it was started with.
    fleet.take_api_away()
    # Not even the former key is right: what was written with it can be opened by none.
    kept = json.loads((fleet.data_dir / "secrets.json").read_text())
    (fleet.data_dir / "secrets.json").write_text(json.dumps(kept | {"old_cipher_keys": [taken.cipher_key]}))
    result = fleet.run("privacy", "reencrypt", "--drop")
    assert result.exit_code != 0
    assert "No key was dropped" in result.stderr
    assert installation.secrets().old_cipher_keys == (taken.cipher_key,)


def test_a_new_index_key_waits_for_the_next_start_and_the_former_is_dropped_when_nothing_needs_it(
    fleet: CommandLine,
) -> None:
    task_id = order_of(fleet, answered(READY))
    installation = Installation(fleet.data_dir)
    former = installation.secrets().index_key
    # What the fleet was started with.
    (fleet.data_dir / "secrets.json").write_text(
        json.dumps(made_as_document(installation.secrets()) | {"index_key": derived_key(CIPHER_KEY)})
    )
    assert fleet.run("privacy", "rotate-index-key").exit_code == 0
    assert installation.secrets().index_key == derived_key(CIPHER_KEY)
    taken = installation.take_up_next_key()
    fleet.take_api_away()
    assert taken.index_key not in (former, derived_key(CIPHER_KEY))
    assert taken.old_index_keys == (derived_key(CIPHER_KEY),)
    document = fleet.read("privacy", "reencrypt", "--drop")
    assert (document["marks"], document["marks_left"]) == ({"contact_logs": 1, "tasks": 1}, {})
    assert document["dropped"] == 1
    assert installation.secrets().old_index_keys == ()
    phone = normalise(NUMBER)
    assert phone is not None
    with fleet.house.database.transaction() as work:
        marks = (BlindIndex(taken.index_key).mark(phone),)
        assert [known.task_id for known in Privacy(work).orders_of(customer_id=None, marks=marks)] == [
            task_id
        ]


def test_a_former_index_key_that_an_entry_needs_is_not_dropped_and_the_entry_is_named(
    fleet: CommandLine,
) -> None:
    assert fleet.run("do-not-call", "add", "13912345678", "--reason", "来电").exit_code == 0
    kept = made_as_document(Installation(fleet.data_dir).secrets()) | {"index_key": derived_key(CIPHER_KEY)}
    (fleet.data_dir / "secrets.json").write_text(json.dumps(kept))
    fleet.run("privacy", "rotate-index-key")
    Installation(fleet.data_dir).take_up_next_key()
    fleet.take_api_away()
    result = fleet.run("privacy", "reencrypt", "--drop")
    assert result.exit_code != 0
    assert "1 of do_not_call" in result.stderr
    assert Installation(fleet.data_dir).secrets().old_index_keys == (derived_key(CIPHER_KEY),)
    assert fleet.run("privacy", "reencrypt").exit_code == 0


def test_where_there_is_no_installation_the_way_by_the_environment_is_named(fleet: CommandLine) -> None:
    (fleet.data_dir / "secrets.json").unlink()
    for command, setting in (
        ("rotate-key", "UNPEND_CIPHER_KEYS_OLD"),
        ("rotate-index-key", "UNPEND_INDEX_KEYS_OLD"),
    ):
        result = fleet.run("privacy", command)
        assert result.exit_code != 0
        assert setting in result.stderr

"""A fleet on one machine has people to log in with, whose passwords are its own."""

from pathlib import Path

from fleet.installation import Installation
from fleet.logins import PEOPLE, add_people
from storage.core.database import Database
from tasks.access.people import change_person, find_person, log_in


def test_each_person_logs_in_with_the_password_of_the_installation(
    database: Database, tmp_path: Path
) -> None:
    passwords = Installation(tmp_path).give_logins(PEOPLE).logins
    add_people(database, passwords)
    made = {login: log_in(database, login, password) for login, password in passwords.items()}
    assert {login: each and each.user.roles for login, each in made.items()} == {
        login: [role] for login, role in PEOPLE.items()
    }


def test_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    first = Installation(tmp_path).give_logins(PEOPLE).logins
    assert Installation(tmp_path).give_logins(PEOPLE).logins == first
    assert len(set(first.values())) == len(PEOPLE)
    (tmp_path / "another").mkdir()
    another = Installation(tmp_path / "another").give_logins(PEOPLE).logins
    assert not set(first.values()) & set(another.values())


def test_who_was_disabled_stays_so_at_the_next_start(database: Database, tmp_path: Path) -> None:
    passwords = Installation(tmp_path).give_logins(PEOPLE).logins
    add_people(database, passwords)
    change_person(database, "manager", by="administrator", disabled=True)
    add_people(database, passwords)
    found = find_person(database, "manager")
    assert found is not None
    assert found.disabled

"""`unpend check`: the checklist in lines and as JSON, and how it ends."""

from storage.engine.pulses import TICK_PULSE, Pulses
from storage.orders.contacts.stops import ContactStops
from tests.support.command_line import CommandLine


def make_ready(fleet: CommandLine) -> None:
    with fleet.house.database.transaction() as work:
        Pulses(work).beat(TICK_PULSE)
        stop, _ = ContactStops(work).stop(channel=None, region=None, reason="drill", by="admin")
        ContactStops(work).lift(stop.stop_id, by="admin")


def test_it_ends_with_0_where_nothing_failed_though_much_is_unknown(fleet: CommandLine) -> None:
    make_ready(fleet)
    result = fleet.run("check", "--lang", "en")
    assert result.exit_code == 0
    assert "UNKNOWN  A backup of the last 7 days" in result.stdout
    assert "FAILED" not in result.stdout


def test_it_ends_with_1_where_something_failed_and_names_the_remedy(fleet: CommandLine) -> None:
    result = fleet.run("check", "--lang", "en")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if "The stop was practised" in line]
    assert line.startswith("FAILED")
    assert line.endswith("Raise a stop and lift it: `unpend stop`, `unpend stop lift`.")


def test_it_speaks_chinese_unless_asked_otherwise(fleet: CommandLine) -> None:
    assert "停呼一次再解除" in fleet.run("check").stdout


def test_json_has_codes_and_states(fleet: CommandLine) -> None:
    make_ready(fleet)
    found = fleet.read("check")
    assert found["passed"] is True
    states = {line["code"]: line["state"] for line in found["checks"]}
    assert (states["tick"], states["backup"]) == ("ok", "unknown")

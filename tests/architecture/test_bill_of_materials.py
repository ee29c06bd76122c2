"""What the installation is made of: every locked package that is installed, with its version and licence."""

import json

import pytest

from docs.bill_of_materials import licence_of, locked, main

ALLOWED = ("MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "MPL-2.0", "LGPL-3.0")
"""Licences under which a package may be used beside Apache-2.0, unchanged."""


def test_every_locked_package_has_a_licence_that_is_allowed() -> None:
    licences = {package.metadata["Name"]: licence_of(package) for package in locked()}
    assert len(licences) > 50
    assert {name: told for name, told in licences.items() if not any(one in told for one in ALLOWED)} == {}


def test_the_bill_names_each_package_once_with_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    bill = json.loads(capsys.readouterr().out)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {(one["name"], one["version"]) for one in bill["components"]}
    assert len(named) == len(bill["components"]) == len(locked())

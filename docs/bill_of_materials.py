# ruff: noqa: INP001 - a script beside the documents, like the others there
"""Writes what this installation is made of: a CycloneDX 1.6 document, or with `--licences` the list of licences.

It reads the metadata of the installed packages that `requirements.lock` names; nothing is asked of anybody else.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).resolve().parent.parent / "requirements.lock"
_LINE: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
_CLASSIFIER: Final = "License :: OSI Approved :: "
_UNKNOWN: Final = "unknown"


def locked() -> list[Distribution]:
    """The locked packages that are installed here; those of other platforms are not."""
    found = []
    for name in sorted(set(_LINE.findall(LOCK.read_text(encoding="utf-8"))), key=str.lower):
        try:
            found.append(distribution(name))
        except PackageNotFoundError:
            continue
    return found


def licence_of(package: Distribution) -> str:
    """The licence as the package declares it: an SPDX expression, else a classifier, else the first line it gives."""
    told = package.metadata
    declared = told.get_all("License-Expression")
    if declared:
        return str(declared[0])
    classifiers = [
        one.removeprefix(_CLASSIFIER) for one in told.get_all("Classifier") or () if _CLASSIFIER in one
    ]
    if classifiers:
        return " OR ".join(classifiers)
    first = "".join(told.get_all("License") or ()).strip().splitlines()
    return first[0] if first else _UNKNOWN


def components() -> Iterator[dict[str, Any]]:
    """One component a package."""
    for package in locked():
        name, version = package.metadata["Name"], package.version
        yield {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name.lower()}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name.lower()}@{version}",
            "licenses": [{"license": {"name": licence_of(package)}}],
        }


def main(arguments: list[str]) -> int:
    """Print the bill of materials, or the list of licences; 1 where a package declares none."""
    if arguments == ["--licences"]:
        listed = {package.metadata["Name"]: licence_of(package) for package in locked()}
        for name, licence in listed.items():
            sys.stdout.write(f"{name:32} {licence}\n")
        return 1 if _UNKNOWN in listed.values() else 0
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "unpend"}},
        "components": list(components()),
    }
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the tests of the tools share."""

import pytest

from tools.classifier.classifier import Classifier
from tools.classifier.files import default_paths


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The classifier as shipped; it is never changed by use."""
    files = default_paths()
    return Classifier.load(files.weights, files.rules)

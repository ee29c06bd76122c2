"""The tests. A helper that finds what should not be says what it found, as a test does."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.toy_product")

"""`python -m tests.toy_product NAME`: a process of the fleet that also knows the toy product."""

import sys

from tests.toy_product.product import PARCELS
from workers.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], further=(PARCELS.bind(None),)))

"""`python -m vlfau` is `vlfau`; processes that Lightning starts for other devices come in here."""

import sys

from vlfau.cli import main

if __name__ == "__main__":
    sys.exit(main())

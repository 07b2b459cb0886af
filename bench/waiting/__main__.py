"""`python -m bench.waiting [SCENARIO ...] [--seeds N]`: a part of the table, for who works on the estimate."""

import sys

from bench.waiting import table

if __name__ == "__main__":
    sys.exit(table.main(sys.argv[1:]))

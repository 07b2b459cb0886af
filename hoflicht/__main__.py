"""`python -m hoflicht` is `hoflicht`."""

import sys

from hoflicht.cli import main

sys.exit(main())

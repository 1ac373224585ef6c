"""`python -m edge_daemon` is the same as the `edge-daemon` command."""

import sys

from edge_daemon.cli import main

sys.exit(main())

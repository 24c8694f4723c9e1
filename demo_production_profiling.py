"""The demonstration of the deployment guide: the same as `crossbridge demo`."""

import sys

from crossbridge.__main__ import main

sys.argv[1:1] = ["demo"]
main()

"""The verification of the deployment guide: the same as `crossbridge verify`."""

import sys

from crossbridge.__main__ import main

sys.argv[1:1] = ["verify"]
main()

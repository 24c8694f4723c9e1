"""The budgets of the design, measured: `python -m bench`. What is measured, and how, is said in each module."""

import sys
from pathlib import Path

# Servers and scratch folders are those of the tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

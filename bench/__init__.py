"""The budgets of the design, measured: `python -m bench`. What is measured, and how, is said in each module."""

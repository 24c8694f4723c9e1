"""The HTML report: one file that needs nothing else. `data` gathers, `page` writes, `assets` is what a browser gets."""

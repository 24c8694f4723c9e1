"""Projects of Node."""


def add(plan, files, in_use, *, force, driver):
    pass


def take_out(plan, files):
    pass

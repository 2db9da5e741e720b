"""The two ways in which a command can fail, and the exit status of each."""


class HarnessError(Exception):
    """One line: the file, line or key, what is wrong, and what would be right."""

    exit_status = 1


class InputError(HarnessError):
    """Bad input: an unknown name, a wrong type, a damaged file. Exit status 2."""

    exit_status = 2


class WorkError(HarnessError):
    """The work itself failed: no source answered, no space left, NaN scores. Exit status 1."""

    exit_status = 1

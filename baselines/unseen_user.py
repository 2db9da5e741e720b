"""How a system scores a user of whom training has nothing; every system notes it with its run, as ``unseen_user``."""

BY_HISTORY = "by the history, as any other"
BY_COUNTS = "by the counts alone, as any other"

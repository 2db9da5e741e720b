"""From a list of runs to their execution, on this machine's processes; a cluster engine can stand beside it."""

"""Where a city is set up and looked after: its files are made (init), filled and checked; what is broken is found (doctor).

A package of its own, for it reads the files of all roles, which `hoflicht` must not know. It imports a role only when a file of
that role is looked at, so that a gateway needs nothing of the server's.
"""

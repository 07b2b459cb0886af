"""The waiting time, a pure function of what was heard and learnt of a yard: no store, no web, no clock."""

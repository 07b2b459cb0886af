"""Who on the staff may do what, what was done, and what they are shown: keys, alarms, notices, holds."""

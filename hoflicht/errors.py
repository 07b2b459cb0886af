"""Errors, sorted by what the caller can do about them."""


class HoflichtError(Exception):
    """Every error that this project raises on purpose."""


class BadConfig(HoflichtError):
    """A person must edit a file or a command; the process ends with exit code 2."""


class BadPayload(HoflichtError):
    """Bytes that no retry can repair: count them, keep a copy, move on."""


class Unavailable(HoflichtError):
    """A neighbour is away for now: keep the data and try again."""


class Refused(HoflichtError):
    """A neighbour answered that we may not (401, 403): hold everything and shout; a person must act, no data is dropped."""

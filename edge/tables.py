"""The tables of the spool, and how rows get in and out."""

import secrets

VERSION = 1  # of these tables, in the file's user_version
STAMPED = 0  # the boot of rows that carry wall-clock time

SCHEMA = f"""\
CREATE TABLE spool (nonce TEXT NOT NULL, rows INTEGER NOT NULL, dropped INTEGER NOT NULL, quarantined INTEGER NOT NULL);
CREATE TABLE boots (boot INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, offset_ms INTEGER);
CREATE TABLE readings (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, sensor TEXT NOT NULL, quantity TEXT NOT NULL,
    at_ms INTEGER NOT NULL, value REAL NOT NULL, kind INTEGER NOT NULL, boot INTEGER NOT NULL);
CREATE INDEX by_boot ON readings (boot) WHERE boot != {STAMPED};
CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT, sensor TEXT, quantity TEXT, at_ms INTEGER, value REAL,
    reason TEXT NOT NULL, since_ms INTEGER NOT NULL);
INSERT INTO boots VALUES ({STAMPED}, '', 0);
PRAGMA user_version = {VERSION}"""
STATEMENTS = SCHEMA.split(";\n")
INSERT = "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT id, site, sensor, quantity, at_ms + offset_ms, value FROM readings JOIN boots USING (boot)"


def new_nonce() -> str:
    """The name of a file whose row ids begin anew (docs/decisions/0001)."""
    return secrets.token_hex(8)

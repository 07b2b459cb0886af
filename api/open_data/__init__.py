"""What others publish on: days as files, calendars, feeds, and the catalogue of it all."""

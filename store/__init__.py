"""The one door to where readings live."""

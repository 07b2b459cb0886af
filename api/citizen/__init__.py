"""What citizens see: page, kiosk and widget, in the words of each language."""

"""Broker to store, with a receipt for what is stored."""

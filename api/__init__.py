"""Waiting times, yards and lamps over HTTP, for people and machines."""

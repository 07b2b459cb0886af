"""Grafana as code."""

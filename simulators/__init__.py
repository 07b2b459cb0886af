"""The world, seeded: yards, lamps, sensors and signs that speak the real byte protocols."""

"""The same data in the words of OGC SensorThings 1.1, read only."""

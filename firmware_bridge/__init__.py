"""What the microcontrollers, sensors and signs speak: bytes in, values out."""

"""The gateway: serial ports to the broker, over a disk that forgets nothing."""

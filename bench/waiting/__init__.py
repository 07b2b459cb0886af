"""The estimate on simulated yards beside what one would pick instead and beside the observer who knows all."""

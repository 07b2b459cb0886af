"""Ours beside what one would pick instead, as ratios inside one run."""

"""What staff say of lamps and what is told of them: programs, overrides, shadows, energy."""

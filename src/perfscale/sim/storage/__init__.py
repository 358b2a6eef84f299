"""The simulated cluster's objects in memory, and the rules for changing them."""

"""The simulation: a made-up exchange lives for months in minutes, on a scratch database, the same for the same seed."""

"""Measurements of speed and memory; each can be run alone, ``python -m benchmarks`` runs all."""

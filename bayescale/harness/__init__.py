"""The workshop beside the corridor: trains many small networks and records one row per budget."""

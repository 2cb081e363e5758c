"""Pictures and time as plain values: marks, layout, colour, the timeline, the state."""

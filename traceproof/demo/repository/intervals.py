"""Booked hours of a meeting room."""


def merge(intervals):
    """Merge overlapping (start, end) intervals; touching ones become one."""
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def busy_hours(intervals):
    """Return how many hours are booked, counting overlaps once."""
    return sum(end - start for start, end in merge(intervals))

"""A verdict as one HTML file that a person reads: no scripts, nothing from elsewhere. Pure."""

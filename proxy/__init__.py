"""The recording proxy: relays model traffic first, and parses it off the relay path."""

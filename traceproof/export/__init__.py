"""The way out: traces as files of other formats, and traces sent to a server that takes OTLP.

What leaves is whole: nothing in it refers to a trace file any more.
"""

"""The program that stands in for a shell: it runs the real one and says what happened.

It runs on a bare Python (`-I -S`) and is not for the recorder's own process: `wire` is what the two
have in common, `install` is what the recorder puts on the disk to have the program started.
"""

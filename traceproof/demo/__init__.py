"""The demonstration: a repository with a bug, a scripted model, an agent that fixes it."""

"""Environments: what a project's tests need, worked out, built, and written down in a lock.

A *recipe* says what to build, `build` builds it for a sandbox, and the *lock* says what came of it,
so that a second machine gets the same. Nothing here runs tests.
"""

from traceproof.sandbox.environments.build import build
from traceproof.sandbox.environments.detect import recipe_for
from traceproof.sandbox.environments.environment import Environment
from traceproof.sandbox.environments.lock import Lock, Package
from traceproof.sandbox.environments.recipe import Base, Node, Python, Recipe, Source

__all__ = [
    "Base",
    "Environment",
    "Lock",
    "Node",
    "Package",
    "Python",
    "Recipe",
    "Source",
    "build",
    "recipe_for",
]

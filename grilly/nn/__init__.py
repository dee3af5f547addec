"""Parameters: what an optimizer updates."""

from .parameter import Parameter as Parameter

__all__ = ["Parameter"]

"""The one family of errors that a user of mediagen meets; defined on the ground, for a clip is saved there."""

from mediagen.errors import Cancelled, MediagenError, ModelError, NotYet, OutputError, RequestError, nearest

__all__ = ["Cancelled", "MediagenError", "ModelError", "NotYet", "OutputError", "RequestError", "nearest"]

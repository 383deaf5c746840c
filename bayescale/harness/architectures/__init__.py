"""Neural network families: one backbone, one file per token mixer."""

from __future__ import annotations

from bayescale.harness.architectures import llama as llama
from bayescale.harness.architectures.backbone import ARCHITECTURES, Backbone, parameter_shapes

__all__ = ["ARCHITECTURES", "Backbone", "parameter_shapes"]

"""What is read and written: photographs, contact sheets, shards of variants, models."""

from ._images import load_image
from ._model_files import load_model, make_backbone, save_model
from ._render import contact_sheet
from ._shards import Shards, VariantRows, make_variants

__all__ = ["Shards", "VariantRows", "contact_sheet", "load_image", "load_model", "make_backbone", "make_variants",
           "save_model"]  # fmt: skip

"""Background replacement in training, and a test for background bias."""

from . import functional
from ._batch import BatchBackgroundReplacement, InBatchPool
from ._class_pool import ClassPool
from ._classical_masks import ClassicalMasks
from ._dataset import BGAugmentDataset
from ._gap import BackgroundGap, background_gap
from ._model_masks import ModelMasks, onnx_network
from ._pools import BackgroundPool, FolderPool, ListPool, TensorPool
from ._procedural import ProceduralPool
from ._providers import AlphaMasks, FolderMasks, MaskProvider, RembgMasks
from ._report import MaskReport, mask_report
from ._store import MaskStore
from ._transform import AlbumentationsReplacement, BackgroundReplacement

# fmt: off
__all__ = [
    "AlbumentationsReplacement", "AlphaMasks", "BGAugmentDataset", "BackgroundGap", "BackgroundPool",
    "BackgroundReplacement", "BatchBackgroundReplacement", "ClassPool", "ClassicalMasks", "FolderMasks", "FolderPool",
    "InBatchPool", "ListPool", "MaskProvider", "MaskReport", "MaskStore", "ModelMasks", "ProceduralPool", "RembgMasks",
    "TensorPool", "background_gap", "functional", "mask_report", "onnx_network",
]
# fmt: on

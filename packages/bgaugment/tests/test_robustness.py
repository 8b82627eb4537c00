"""Hostile arguments are used or refused by name; damaged images, masks and networks are named."""

import numpy as np
import onnx
import pytest
import torch
from bgaugment import (
    AlbumentationsReplacement,
    AlphaMasks,
    BackgroundReplacement,
    BatchBackgroundReplacement,
    FolderMasks,
    FolderPool,
    InBatchPool,
    ListPool,
    MaskStore,
    TensorPool,
    functional,
    onnx_network,
)
from onnx import TensorProto, helper
from PIL import Image
from torchvision import tv_tensors

IMAGES = torch.arange(108.0).reshape(2, 3, 3, 6) / 107
MASKS = torch.eye(3, 6).expand(2, 3, 6)
PIXELS = np.arange(54, dtype=np.uint8).reshape(3, 6, 3)
ONE = ListPool([PIXELS])


def in_batch(images, masks, labels):
    return BatchBackgroundReplacement(InBatchPool("same"))(images, masks, labels)


def from_pool(images, masks, p, feather):
    return BatchBackgroundReplacement(TensorPool(IMAGES), p, feather=feather)(images, masks)


CALLS = {
    "replace_background": (
        functional.replace_background, {"image": IMAGES, "mask": MASKS, "background": IMAGES, "feather": 1.0},
    ),
    "replace_background of an array": (
        lambda **arguments: functional.replace_background(PIXELS, **arguments),
        {"mask": np.eye(3, 6), "background": PIXELS, "feather": 0.0},
    ),
    "cover_crop": (lambda background: functional.cover_crop(background, (2, 2)), {"background": IMAGES}),
    "remove_foreground": (functional.remove_foreground, {"images": IMAGES, "masks": MASKS}),
    "map_at_r": (functional.map_at_r, {"embeddings": IMAGES[0, 0].T, "labels": torch.tensor([0, 0, 1, 1, 2, 2])}),
    "batch from a pool": (from_pool, {"images": IMAGES, "masks": MASKS, "p": 0.5, "feather": 0.0}),
    "in batch": (in_batch, {"images": IMAGES, "masks": MASKS, "labels": torch.tensor([1, 1])}),
    "TensorPool": (TensorPool, {"backgrounds": IMAGES}),
    "ListPool": (lambda images: ListPool(images).draw((2, 2), np.random.default_rng(0)), {"images": [PIXELS]}),
    "BackgroundReplacement": (
        lambda inputs, **options: BackgroundReplacement(**options)(inputs),
        {"inputs": (tv_tensors.Image(IMAGES), tv_tensors.Mask(MASKS)), "pool": ONE, "p": 0.5, "feather": 1.0},
    ),
    "AlbumentationsReplacement": (
        lambda image, mask, **options: AlbumentationsReplacement(**options)(image=image, mask=mask),
        {"image": PIXELS, "mask": np.eye(3, 6), "pool": ONE, "p": 1.0, "feather": 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


@pytest.fixture
def picture(rng, tmp_path):
    """A picture with an alpha channel, alone in a folder."""
    file = tmp_path / "folder" / "picture.png"
    file.parent.mkdir()
    Image.fromarray(rng.integers(0, 256, (9, 7, 4), dtype=np.uint8)).save(file)
    return file


@pytest.mark.parametrize(
    "read",
    [
        lambda file: AlphaMasks()([file]),
        lambda file: FolderMasks(file.parent)([file]),
        lambda file: FolderPool(file.parent).draw((4, 4), np.random.default_rng(0)),
    ],
    ids=["alpha", "mask", "pool"],
)
def test_a_damaged_image_is_named(read, picture, check_damaged):
    check_damaged(lambda: read(picture), picture, cuts=20, flips=40)


def test_a_damaged_mask_of_a_store_is_named(picture, tmp_path, check_damaged):
    store = MaskStore(tmp_path / "store")
    store.compute([picture], AlphaMasks())
    check_damaged(lambda: store.load(picture), store.path(store.key(picture)), cuts=20, flips=40)


def test_a_damaged_note_on_the_provider_is_another_provider(picture, tmp_path):
    store = MaskStore(tmp_path / "store")
    store.compute([picture], AlphaMasks())
    (store.folder / "provider.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="provider: expected"):
        store.compute([picture], AlphaMasks())


def test_a_damaged_network_is_named(tmp_path):
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["y"])], "graph", places[:1], places[1:])
    file = tmp_path / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    assert onnx_network(file)(torch.zeros(1, 3, 4, 4)).eq(0.5).all()
    for content in (b"", b"no network", file.read_bytes()[:40]):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"path: expected an ONNX file, got .*network.onnx"):
            onnx_network(file)

"""Hostile arguments are used or refused by name; damaged images, masks and networks are named."""

from unittest.mock import MagicMock

import numpy as np
import onnx
import pytest
import torch
from bgaugment import (
    AlbumentationsReplacement,
    AlphaMasks,
    BackgroundReplacement,
    BatchBackgroundReplacement,
    BGAugmentDataset,
    ClassPool,
    FolderMasks,
    FolderPool,
    InBatchPool,
    ListPool,
    MaskStore,
    ModelMasks,
    ProceduralPool,
    TensorPool,
    background_gap,
    functional,
    mask_report,
    onnx_network,
)
from hypothesis import given, settings
from hypothesis import strategies as st
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


ITEMS = [(PIXELS, 0), (PIXELS + 9, 0), (PIXELS * 2, 1), (PIXELS * 3, 1)]
TRUE = [np.eye(3, 6)] * 4
ROWS = torch.arange(12.0).reshape(4, 3)


def drawn(pool):
    return pool.draw((3, 6), np.random.default_rng(0), index=0, label=0)


def embed(images):
    return images.float().mean((2, 3))


def limited(function):
    """Return the function with a count that would never end, which is no mistake, cut down."""
    return lambda **arguments: function(
        **{name: 1 if isinstance(value, int) and value == 10**30 else value for name, value in arguments.items()}
    )


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
    "overlap": (functional.overlap, {"mask": MASKS, "truth": MASKS}),
    "iou of arrays": (functional.iou, {"mask": np.eye(3, 6), "truth": np.eye(3, 6)}),
    "cover_crop's size": (lambda size: functional.cover_crop(IMAGES, size), {"size": (2, 2)}),
    "split": (ProceduralPool(5).split, {"seed": 0, "fraction": 0.5}),
    "ProceduralPool": (
        lambda **options: ProceduralPool(**options).draw((2, 2), np.random.default_rng(0)),
        {"n": 5, "kinds": ["solid"], "seed": 0},
    ),
    "ClassPool": (
        lambda **arguments: drawn(ClassPool(**arguments)),
        {"images": [PIXELS] * 2, "masks": [np.eye(3, 6)] * 2, "labels": [0, 0], "relation": "same"},
    ),
    "BGAugmentDataset": (
        lambda **arguments: BGAugmentDataset(**arguments)[0],
        {"dataset": ITEMS, "masks": TRUE, "pool": ONE, "p": 1.0, "joint_transform": None, "transform": None, "seed": 0},
    ),
    "background_gap": (
        limited(background_gap),
        {
            "model": embed, "dataset": ITEMS, "masks": TRUE, "pool": ONE, "repeats": 1, "metric": "map_at_r",
            "transform": None, "batch_size": 2, "seed": 0,
        },
    ),
    "a model's output": (lambda out: background_gap(lambda _: out, ITEMS, TRUE, ONE, repeats=1), {"out": ROWS}),
    "a metric's output": (
        lambda out: background_gap(embed, ITEMS, TRUE, ONE, repeats=1, metric=lambda *_: out), {"out": 0.5},
    ),
    "ModelMasks": (
        lambda **options: ModelMasks(**options)([PIXELS]),
        {"network": lambda x: x.mean(1, keepdim=True), "size": 4, "mean": (0.5,) * 3, "std": (1,) * 3},
    ),
    "a network's output": (
        lambda out: ModelMasks(lambda _: out, size=4, mean=(0.5,) * 3, std=(1,) * 3)([PIXELS]), {"out": IMAGES[:1, :1]},
    ),
    "FolderMasks": (FolderMasks, {"folder": "masks"}),
    "MaskStore": (MaskStore, {"folder": "masks"}),
    "mask_report": (mask_report, {"images": [PIXELS], "masks": TRUE[:1], "examples": 1, "size": 4}),
    "near_empty": (mask_report([PIXELS], TRUE[:1], size=4).near_empty, {"threshold": 0.1}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_hostile_arguments_are_refused_by_name(name, check_arguments):
    function, valid = CALLS[name]
    assert check_arguments(function, **valid) >= 14 * len(valid)


def laid_out(array, layout):
    """Return an equal array whose axes run backwards, with channels first in memory, or of foreign byte order."""
    if layout == "backwards":
        return np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1]
    if layout == "fortran":
        return np.asfortranarray(array)
    return array.astype(array.dtype.newbyteorder(">"))


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(["u1", "u2", "i4", "f4", "f8"]),
    layouts=st.tuples(*[st.sampled_from(["backwards", "fortran", "foreign"])] * 3),
    feather=st.sampled_from([0.0, 1.5]),
    size=st.sampled_from([(3, 6), (5, 4)]),
    seed=st.integers(0, 99),
)
def test_memory_layouts_make_no_difference(kind, layouts, feather, size, seed):
    rng = np.random.default_rng(seed)
    image, background = ((rng.random((*shape, 3)) * 250).astype(kind) for shape in ((3, 6), size))
    arrays = image, rng.random((3, 6)).round(1), background
    others = [laid_out(array, layout) for array, layout in zip(arrays, layouts)]
    others[2] = others[2].astype(others[0].dtype, copy=False)
    expected = functional.replace_background(*arrays, feather=feather)
    np.testing.assert_array_equal(functional.replace_background(*others, feather=feather), expected)


def test_mirrored_images_are_images():
    mirrored = [(image[:, ::-1], label) for image, label in ITEMS]
    copied = [(image.copy(), label) for image, label in mirrored]
    gaps = (background_gap(embed, items, TRUE, ONE, repeats=1) for items in (mirrored, copied))
    assert next(gaps) == next(gaps)
    drawn_from = ListPool([image for image, _ in mirrored]).tensor((3, 6)).backgrounds
    assert torch.equal(drawn_from[1], torch.tensor(ITEMS[1][0]).movedim(-1, 0).flip(-1))


def test_pictures_of_any_mode_are_backgrounds():
    colours = Image.fromarray(PIXELS).quantize(4)
    for mode, expected in {"P": colours.convert("RGB"), "RGBA": Image.fromarray(PIXELS)}.items():
        picture = colours if mode == "P" else Image.fromarray(PIXELS).convert(mode)
        made = AlbumentationsReplacement(ListPool([picture]))(image=PIXELS * 0, mask=np.zeros((3, 6)))["image"]
        np.testing.assert_array_equal(made, np.asarray(expected))


def test_labels_of_several_numbers_are_passed_on():
    label = torch.tensor([0, 1, 1])
    assert BGAugmentDataset([(PIXELS, label)], TRUE[:1], ONE)[0][1] is label
    with pytest.raises(TypeError, match="dataset: expected a class as label of each item, got Tensor"):
        background_gap(embed, [(PIXELS, label)] * 2, TRUE[:2], ONE)


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


def test_a_network_of_another_input_and_unknown_providers_are_errors(tmp_path):
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Sigmoid", ["x"], ["y"])], "graph", places[:1], places[1:])
    file = tmp_path / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    with pytest.raises(ValueError, match=r"network: expected an input that the ONNX file takes, got \(3, 5, 4\)"):
        onnx_network(file)(torch.zeros(1, 3, 5, 4))
    for unknown in (["NoProvider"], ["CPUExecutionProvider", ("NoProvider", {})], []):
        with pytest.raises(ValueError, match=r"providers: expected a list of .*CPUExecutionProvider"):
            onnx_network(file, providers=unknown)
    with pytest.raises(TypeError, match="providers: expected a list of execution providers, got str"):
        onnx_network(file, providers="CPUExecutionProvider")
    assert onnx_network(file, providers=[("CPUExecutionProvider", {})])(torch.zeros(1, 3, 4, 4)).eq(0.5).all()


def test_cuda_is_preferred_where_onnxruntime_has_it(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "onnxruntime.get_available_providers", lambda: ["Tensorrt", "CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, providers: seen.append(providers) or MagicMock())
    (tmp_path / "network.onnx").write_bytes(b"")
    onnx_network(tmp_path / "network.onnx")
    onnx_network(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    assert seen == [["CUDAExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]]

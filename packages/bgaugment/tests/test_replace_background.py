import numpy as np
import pytest
import torch
from bgaugment.functional import cover_crop, remove_foreground, replace_background
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image


def by_pixel(image, mask, background):
    """Eq. 11.1 one value at a time; mask in [0, 1]."""
    result = np.empty(image.shape)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            for c in range(image.shape[2]):
                m = float(mask[y, x])
                result[y, x, c] = m * float(image[y, x, c]) + (1 - m) * float(background[y, x, c])
    return np.rint(result) if image.dtype.kind != "f" else result


def chw(array):
    return torch.tensor(array).movedim(-1, 0)


def test_every_kind_equals_the_equation(scene):
    image, mask, background = scene
    expected = by_pixel(image, mask / 255, background).astype(np.uint8)
    pil = replace_background(Image.fromarray(image), Image.fromarray(mask), Image.fromarray(background))
    results = {
        "numpy": replace_background(image, mask, background),
        "numpy, float mask": replace_background(image, (mask / 255).astype(np.float32), background),
        "pil": np.asarray(pil),
        "torch": replace_background(chw(image), torch.tensor(mask), chw(background)).movedim(0, -1).numpy(),
        "torch, float mask": replace_background(chw(image), torch.tensor(mask / 255), chw(background)).movedim(0, -1),
    }
    assert isinstance(pil, Image.Image)
    for kind, result in results.items():
        np.testing.assert_array_equal(np.asarray(result), expected, err_msg=kind)
    parts = [array.astype(np.float32) / 255 for array in scene]
    tensors = chw(parts[0]), torch.tensor(parts[1]), chw(parts[2])
    floats = [replace_background(*parts), replace_background(*tensors).movedim(0, -1)]
    for result in floats:
        np.testing.assert_allclose(result, by_pixel(*parts), atol=1e-6)
    np.testing.assert_array_equal(*floats)


@given(
    pixels=st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=40),
    soft=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_8_bit_composites_equal_the_equation(pixels, soft):
    image, mask, background = np.array(pixels, np.uint8).T[:, None, :]
    mask = mask if soft else np.where(mask < 128, 0, 255).astype(np.uint8)
    mask[0, 0] = 255  # else a mask of 0 and 1 may arise
    image, background = image[..., None], background[..., None]
    expected = by_pixel(image, mask / 255, background).astype(np.uint8)
    np.testing.assert_array_equal(replace_background(image, mask, background), expected)
    np.testing.assert_array_equal(
        replace_background(chw(image), torch.tensor(mask), chw(background)), expected.transpose(2, 0, 1)
    )


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int16, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_the_foreground_is_kept_bit_by_bit_in_any_dtype(dtype):
    image, background = ((torch.randn(2, 2, 3, 8, 8) * 50).abs()).to(dtype)
    mask = torch.rand(2, 8, 8)
    mask[mask > 0.6], mask[mask < 0.3] = 1, 0
    result = replace_background(image, mask, background)
    inside, outside = (mask == 1)[:, None].expand_as(image), (mask == 0)[:, None].expand_as(image)
    assert result.dtype == dtype
    assert torch.equal(result[inside], image[inside])
    assert torch.equal(result[outside], background[outside])
    feathered = replace_background(image, mask, background, feather=1.5)
    assert torch.equal(feathered[inside], image[inside])


def test_numpy_dtypes_are_kept(rng):
    for dtype in (np.uint8, np.uint16, np.int32, np.float16, np.float32, np.float64):
        image, background = (rng.uniform(0, 200, (2, 5, 4, 3))).astype(dtype)
        mask = rng.random((5, 4))
        mask[2] = 1
        result = replace_background(image, mask, background)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result[2], image[2])
        np.testing.assert_allclose(
            result, by_pixel(image, mask, background), rtol=2e-3 if dtype == np.float16 else 1e-6
        )


def test_batches_equal_single_images(rng):
    images, backgrounds = torch.tensor(rng.integers(0, 256, (2, 5, 3, 9, 7), dtype=np.uint8))
    masks = torch.tensor(rng.choice(np.array([0, 100, 255], np.uint8), (5, 9, 7), p=[0.5, 0.1, 0.4]))
    together = replace_background(images, masks, backgrounds)
    assert torch.equal(together, replace_background(images, masks[:, None], backgrounds))
    for i in range(5):
        assert torch.equal(together[i], replace_background(images[i], masks[i], backgrounds[i]))
    shared = replace_background(images, masks, backgrounds[0])
    assert torch.equal(shared[4], replace_background(images[4], masks[4], backgrounds[0]))


def test_strided_and_grey_images(scene):
    image, mask, background = scene
    flipped = replace_background(image[:, ::-1], mask[:, ::-1], background[:, ::-1])
    np.testing.assert_array_equal(flipped[:, ::-1], replace_background(image, mask, background))
    grey = replace_background(image[..., 0], mask, background[..., 0])
    np.testing.assert_array_equal(grey, replace_background(image, mask[..., None], background)[..., 0])
    channels_last = chw(image)[None].contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(
        replace_background(channels_last, torch.tensor(mask), chw(background))[0].movedim(0, -1),
        replace_background(image, mask, background),
    )


@pytest.mark.parametrize("size", [(0, 4), (1, 1), (1, 7), (5, 13), (8, 8)])
def test_any_number_of_pixels_and_any_order_in_memory(rng, size):
    image, background = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    mask = rng.choice(np.array([0, 0, 0, 100, 255, 255], np.uint8), size)
    expected = by_pixel(image, mask / 255, background).astype(np.uint8)
    np.testing.assert_array_equal(replace_background(image, mask, background), expected)
    for first in (chw(image), chw(image).contiguous()):
        for second in (chw(background), chw(background).contiguous()):
            result = replace_background(first, torch.tensor(mask), second)
            np.testing.assert_array_equal(result, expected.transpose(2, 0, 1))
            assert result.is_contiguous() == first.is_contiguous()


@pytest.mark.parametrize("level", [0, 1, 77, 128, 254, 255])
def test_arrays_tensors_and_pil_images_round_alike(level):
    image, background = np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 2)
    mask = np.full((256, 256), level, np.uint8)
    mask[0, 0] = 255  # else 1 would be taken for a class
    weight = mask / 255
    expected = np.rint(weight * image + (1 - weight) * background).astype(np.uint8)
    tensors = (torch.tensor(array)[None] for array in (image, mask, background))
    pictures = (Image.fromarray(array) for array in (image, mask, background))
    for kind in ((image, mask, background), tensors, pictures):
        np.testing.assert_array_equal(np.asarray(replace_background(*kind)).reshape(256, 256), expected)


def test_inputs_are_untouched(scene):
    copies = [array.copy() for array in scene]
    replace_background(*scene, feather=1)
    replace_background(chw(scene[0]), torch.from_numpy(scene[1]), chw(scene[2]))
    for array, before in zip(scene, copies):
        np.testing.assert_array_equal(array, before)


def test_feather_fades_outwards_by_a_gaussian():
    image, background = np.ones((1, 41, 1), np.float32), np.zeros((1, 41, 1), np.float32)
    mask = np.zeros((1, 41), np.float32)
    mask[0, :20] = 1
    result = replace_background(image, mask, background, feather=2.0)[0, :, 0]
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    expected = [sum(k for k, d in zip(kernel, range(-6, 7)) if x + d < 20) / kernel.sum() for x in range(20, 35)]
    np.testing.assert_allclose(result[20:35], expected, atol=1e-6)
    assert (result[:20] == 1).all()
    tensor = replace_background(chw(image), torch.tensor(mask), chw(background), feather=2.0)
    np.testing.assert_array_equal(tensor[0, 0], result)


def test_backgrounds_of_other_sizes_cover_and_are_cut_to_the_centre():
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 15:25] = 200
    image, mask = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8)
    result = replace_background(image, mask, wide)
    assert result.shape == (20, 20, 3)
    assert (result[:, 2:-2] == 200).all()
    np.testing.assert_array_equal(replace_background(chw(image), torch.tensor(mask), chw(wide)), chw(result))
    np.testing.assert_array_equal(replace_background(Image.fromarray(image), mask, Image.fromarray(wide)), result)
    assert cover_crop(torch.zeros(2, 3, 7, 90), (33, 5)).shape == (2, 3, 33, 5)


def test_gradients_reach_image_and_background():
    image, background = (torch.rand(2, 3, 4, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    mask = torch.rand(2, 4, 4)
    assert torch.autograd.gradcheck(lambda i, b: replace_background(i, mask, b), (image, background))


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled_equals_eager(backend, dynamic):
    compiled = torch.compile(replace_background, fullgraph=True, backend=backend, dynamic=dynamic)
    for n in (2, 3):
        image, background = torch.randint(0, 256, (2, n, 3, 8, 8), dtype=torch.uint8)
        mask = torch.rand(n, 8, 8).mul(3).sub(1).clamp(0, 1)
        assert torch.equal(compiled(image, mask, background), replace_background(image, mask, background))


def test_the_foreground_is_filled_from_around_it():
    ramp = torch.arange(32.0).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 32, 32, dtype=torch.bool)
    mask[:, 12:20, 12:20] = True
    image = torch.where(mask[:, None], 1000.0, ramp)
    filled = remove_foreground(image, mask)
    assert torch.equal(filled[~mask[:, None].expand_as(filled)], ramp[~mask[:, None].expand_as(ramp)])
    assert (filled - ramp).abs().max() < 8
    assert remove_foreground(image, torch.ones_like(mask)).abs().max() == 0


def good():
    return np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5)), np.zeros((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({1: np.zeros((5, 4))}, ValueError, r"mask: expected \(h, w\) of .*, got image \(4, 5, 3\), mask \(5, 4\)"),
        ({1: np.full((4, 5), 1.5)}, ValueError, r"mask: expected values in \[0, 1\].* got 1.5 to 1.5"),
        ({1: np.full((4, 5), -0.5)}, ValueError, "mask: expected values"),
        ({1: np.full((4, 5), np.nan)}, ValueError, "mask: expected values"),
        ({1: np.eye(4, 5, dtype=np.uint8)}, ValueError, "mask: expected 8-bit values 0..255 .* got at most 1"),
        ({1: np.eye(4, 5, dtype=np.int64) * 255}, ValueError, "mask: expected values in"),
        ({2: np.zeros((4, 5, 3))}, TypeError, "background: expected the dtype of image, uint8, got float64"),
        ({2: np.zeros((4, 5, 1), np.uint8)}, ValueError, "background: expected .* the channels of image"),
        ({2: torch.zeros(3, 4, 5)}, TypeError, "expected numpy arrays, because image is one, got Tensor"),
        ({0: [[0]]}, TypeError, "image: expected a numpy array, a PIL image or a tensor, got list"),
        ({0: Image.new("P", (5, 4))}, ValueError, "image: expected a PIL image of mode L or RGB .* got P"),
        ({0: np.full((4, 5, 3), np.nan), 1: np.ones((4, 5)), 2: np.zeros((4, 5, 3))}, ValueError, "expected finite"),
    ],
)  # fmt: skip
def test_bad_arrays_are_named(change, error, message):
    arguments = [change.get(i, value) for i, value in enumerate(good())]
    with pytest.raises(error, match=message):
        replace_background(*arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({1: torch.zeros(2, 5, 5)}, ValueError, r"mask: expected \(h, w\) for each image, got .* mask \(2, 5, 5\)"),
        ({1: torch.zeros(3, 4, 5)}, ValueError, "mask: expected"),
        ({1: torch.full((2, 4, 5), 2.0)}, ValueError, "mask: expected values"),
        ({1: torch.ones(2, 4, 5, dtype=torch.uint8)}, ValueError, "got at most 1"),
        ({1: np.zeros((2, 4, 5))}, TypeError, "mask: expected a tensor, because image is one, got ndarray"),
        ({2: torch.zeros(3, 3, 4, 5)}, ValueError, "background: expected"),
        ({2: torch.zeros(2, 3, 4, 5, dtype=torch.uint8)}, TypeError, "background: expected the dtype"),
        ({0: torch.zeros(4, 5)}, ValueError, "image: expected"),
        ({0: torch.full((2, 3, 4, 5), torch.nan), 1: torch.ones(2, 4, 5)}, ValueError, "expected finite values"),
    ],
)  # fmt: skip
def test_bad_tensors_are_named(change, error, message):
    tensors = torch.zeros(2, 3, 4, 5), torch.zeros(2, 4, 5), torch.zeros(2, 3, 4, 5)
    with pytest.raises(error, match=message):
        replace_background(*(change.get(i, value) for i, value in enumerate(tensors)))


@pytest.mark.parametrize("feather", [-1.0, float("nan"), float("inf")])
def test_bad_feather_is_named(scene, feather):
    with pytest.raises(ValueError, match="feather: expected a standard deviation"):
        replace_background(*scene, feather=feather)

import numpy as np
import onnx
import pytest
import torch
from bgaugment import AlphaMasks, ClassicalMasks, FolderMasks, ModelMasks, RembgMasks, onnx_network
from bgaugment.functional import iou, overlap
from onnx import TensorProto, helper
from PIL import Image


def disc(height=90, width=120, seed=0):
    """Return a textured disc on a gradient, and its true mask."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    truth = (y - 45) ** 2 + (x - 55) ** 2 < 25**2
    image = np.stack([90 + x // 2, 110 + y // 3, np.full_like(x, 160)], -1)
    image[truth] = (200, 60, 30)
    return np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8), truth


def test_classical_masks_find_the_object_in_the_size_of_the_image():
    image, truth = disc()
    (mask,) = ClassicalMasks(size=80)([image])
    assert mask.shape == truth.shape
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert iou(mask, truth.astype(np.float32)) > 0.85
    np.testing.assert_array_equal(mask, ClassicalMasks(size=80)([image])[0])
    assert ClassicalMasks()([np.full((30, 30, 3), 7, np.uint8)])[0].max() == 0


def test_alpha_and_folder_masks(photos, tmp_path):
    files = sorted(photos.rglob("*.png"))
    alpha = AlphaMasks()(files)
    for file, mask in zip(files, alpha):
        assert mask.sum() == 400
        target = tmp_path / "masks" / file.relative_to(photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((mask * 255).astype(np.uint8)).save(target)
    for found, expected in zip(FolderMasks(tmp_path / "masks", images=photos)(files), alpha):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(FolderMasks(tmp_path / "masks" / "cat")(files[:1])[0], alpha[0])
    np.testing.assert_array_equal(AlphaMasks()([Image.open(files[0])])[0], alpha[0])
    with pytest.raises(ValueError, match="images: expected an alpha channel, got none in ndarray"):
        AlphaMasks()([np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises(TypeError, match="images: expected paths"):
        FolderMasks(tmp_path)([np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises(OSError, match="cannot be read"):
        FolderMasks(tmp_path)(files)


class Session:
    def predict(self, image):
        grey = np.asarray(image)[..., 0]
        return [Image.fromarray(np.where(grey > 200, 255, 0).astype(np.uint8)), Image.fromarray(grey // 2)]


def test_rembg_sessions():
    image = np.array([[[255, 0, 0], [100, 0, 0]]], np.uint8)
    (mask,) = RembgMasks(Session())([image])
    np.testing.assert_allclose(mask, [[1, 50 / 255]])
    assert RembgMasks(Session()).name == "rembg Session"
    with pytest.raises(TypeError, match="session: expected a rembg session, got int"):
        RembgMasks(3)


@pytest.mark.parametrize(("kind", "size"), [("u2net", 320), ("isnet", 1024)])
def test_models_get_what_they_were_trained_on(kind, size):
    seen = []

    def network(batch):
        seen.append(batch)
        return [(batch[:, :1] * 3 + 7, None), "side outputs"]

    dark, bright = np.full((10, 20, 3), 100, np.uint8), np.full((30, 20, 3), 250, np.uint8)
    dark[:, 10:] = 0
    masks = getattr(ModelMasks, kind)(network)([dark, bright])
    assert seen[0].shape == (2, 3, size, size)
    assert seen[0].dtype == torch.float32
    if kind == "u2net":  # divided by the maximum, then ImageNet's statistics
        expected = [(1 - m) / s for m, s in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    else:
        expected = [100 / 255 - 0.5] * 3
    np.testing.assert_allclose(seen[0][0, :, size // 2, 5], expected, rtol=1e-5)
    assert [mask.shape for mask in masks] == [(10, 20), (30, 20)]
    assert masks[0][:, :9].min() > 0.99  # stretched by minimum and maximum, resized back
    assert masks[0][:, 11:].max() < 0.01


def test_torch_and_onnx_files_agree(tmp_path):
    """The network marks what is bright: a 1x1 convolution, then a sigmoid."""
    weight = torch.tensor([0.5, 0.3, 0.2])[None, :, None, None]
    constant = helper.make_tensor("w", TensorProto.FLOAT, (1, 3, 1, 1), weight.flatten().tolist())
    nodes = [helper.make_node("Conv", ["x", "w"], ["z"]), helper.make_node("Sigmoid", ["z"], ["y"])]
    shapes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, c, 320, 320)) for n, c in (("x", 3), ("y", 1))]
    graph = helper.make_graph(nodes, "bright", shapes[:1], shapes[1:], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "bright.onnx")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1, bias=False), torch.nn.Sigmoid()).eval()
    module[0].weight.data.copy_(weight)

    image, truth = disc()
    image[truth], image[~truth] = image[truth] // 2 + 128, image[~truth] // 4
    images = [image, np.rot90(image).copy()]
    from_onnx = ModelMasks.u2net(onnx_network(tmp_path / "bright.onnx", threads=1))(images)
    from_torch = ModelMasks.u2net(module)(images)
    for first, second, true in zip(from_onnx, from_torch, (truth, np.rot90(truth))):
        np.testing.assert_allclose(first, second, atol=1e-5)
        assert first.shape == true.shape
        assert iou(first, true.astype(np.float32)) > 0.9


def test_bad_models_are_named(tmp_path):
    image = np.zeros((4, 4, 3), np.uint8)

    def masks_of(function):
        return ModelMasks(function, size=4, mean=(0,) * 3, std=(1,) * 3)([image])

    with pytest.raises(
        ValueError, match=r"network: expected an output \(n, 1, h, w\), got input \(1, 3, 4, 4\), output \(1, 2"
    ):
        masks_of(lambda x: x[:, :2])
    with pytest.raises(ValueError, match="network: expected a finite output"):
        masks_of(lambda x: x[:, :1] * torch.nan)
    with pytest.raises(ValueError, match="network: expected a module in eval mode"):
        masks_of(torch.nn.Conv2d(3, 1, 1))
    with pytest.raises(ValueError, match="path: expected an ONNX file"):
        onnx_network(tmp_path / "none.onnx")
    assert masks_of(lambda x: x[:, :1] + 0.25)[0].tolist() == [[0.25] * 4] * 4


def test_overlap_and_iou_count_pixels(rng):
    masks, truths = rng.random((2, 5, 6, 7))
    for convert in (lambda a: a, torch.tensor, lambda a: np.rint(a * 255).astype(np.uint8)):
        found, covered = iou(convert(masks), convert(truths)), overlap(convert(masks), convert(truths))
        for i in range(5):
            pairs = [(m >= 0.5, t >= 0.5) for m, t in zip(masks[i].flat, truths[i].flat)]
            both = sum(m and t for m, t in pairs)
            assert float(found[i]) == pytest.approx(both / sum(m or t for m, t in pairs))
            assert float(covered[i]) == pytest.approx(both / sum(t for _, t in pairs))
    with pytest.raises(ValueError, match="truth: expected some foreground"):
        overlap(masks, np.zeros_like(truths))
    with pytest.raises(ValueError, match="truth: expected the shape of mask"):
        iou(masks, truths[:2])
    with pytest.raises(TypeError, match="truth: expected the kind of mask"):
        iou(masks, torch.tensor(truths))

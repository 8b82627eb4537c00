import numpy as np
import pytest
import torch
from aesthetic_pretext import DISTORTIONS, PretextDataset, RandomDistortion
from aesthetic_pretext.files import load_image
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors


def test_files_of_every_kind(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    image = Image.fromarray(rgb)
    image.save(tmp_path / "a.png")
    assert (load_image(tmp_path / "a.png") == rgb).all()
    image.convert("CMYK").save(tmp_path / "cmyk.tif")
    assert np.abs(load_image(tmp_path / "cmyk.tif").astype(int) - rgb).max() <= 1
    image.convert("P").save(tmp_path / "palette.png")
    assert load_image(tmp_path / "palette.png").shape == (6, 9, 3)
    alpha = np.dstack([rgb, np.zeros((6, 9), np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    assert (load_image(tmp_path / "alpha.png") == 255).all()
    deep = np.arange(54, dtype=np.uint16).reshape(6, 9) * 1000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert (load_image(tmp_path / "deep.png")[..., 0] == deep // 256).all()
    Image.fromarray(rgb[:1, :1]).save(tmp_path / "one.png")
    assert load_image(tmp_path / "one.png").shape == (1, 1, 3)
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert load_image(tmp_path / "turned.jpg").shape == (9, 6, 3)


def test_broken_files_are_errors_that_name_them(tmp_path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    image.save(tmp_path / "cut.jpg")
    data = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("hello")
    for name in ("cut.jpg", "text.png", "missing.png"):
        with pytest.raises(OSError, match=name):
            load_image(tmp_path / name)


def test_a_data_set_skips_broken_files_with_a_warning(folder):
    (folder / "2.png").write_bytes(b"broken")
    dataset = PretextDataset(folder, size=16, variants_per_image=3)
    with pytest.warns(UserWarning, match=r"skipped: .*2\.png"):
        item = dataset[2]
    assert item.images.shape[1:] == (3, 16, 16)
    only = PretextDataset([folder / "2.png"], size=16)
    with pytest.warns(UserWarning, match="skipped"), pytest.raises(OSError, match="none of 1 files"):
        only[0]


def test_data_sets_draw_by_seed_epoch_and_index_in_any_worker(folder):
    def batches(dataset, workers=0):
        loader = DataLoader(dataset, 2, collate_fn=dataset.collate, num_workers=workers)
        return [batch.images for batch in loader]

    dataset = PretextDataset(folder, size=16, variants_per_image=4, seed=1)
    first = batches(dataset)
    assert all(torch.equal(a, b) for a, b in zip(first, batches(dataset, workers=1)))
    dataset.set_epoch(1)
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, batches(dataset)))


def test_batches_number_images_and_point_to_references(folder):
    dataset = PretextDataset(folder, size=16, variants_per_image=6)
    batch = dataset.collate([dataset[0], dataset[1], dataset[2]])
    assert (batch.levels[batch.reference] == 0).all()
    distorted = batch.levels != 0
    assert int(distorted.sum()) == 18
    assert (batch.groups[distorted] // 21).unique().tolist() == [0, 1, 2]
    owner = batch.reference.new_zeros(len(batch.levels))
    for image, group in enumerate((batch.groups[distorted] // 21).tolist()):
        owner[distorted.nonzero()[image]] = group
    first = [int((owner[distorted] < image).sum()) for image in range(3)]
    assert first == [0, 6, 12]


def test_data_set_errors(folder, tmp_path):
    with pytest.raises(ValueError, match="variants_per_image: expected a whole number from 1 to 171"):
        PretextDataset(folder, variants_per_image=172)
    with pytest.raises(ValueError, match="folder: expected an existing folder"):
        PretextDataset(tmp_path / "none")
    with pytest.raises(ValueError, match="source: expected"):
        PretextDataset([])


def test_the_transform_keeps_types_and_leaves_labels_alone(small):
    tensor = torch.from_numpy(small).permute(2, 0, 1)
    transform = RandomDistortion(["exposure"], levels=[2])
    image, label = transform(tv_tensors.Image(tensor), 3)
    assert type(image) is tv_tensors.Image
    assert label == 3
    expected = DISTORTIONS["exposure"].distort(small, 2)
    assert (image.permute(1, 2, 0).numpy() == expected).all()
    assert (np.asarray(transform(Image.fromarray(small))) == expected).all()
    assert transform(torch.stack([tensor, tensor])).shape == (2, 3, 24, 36)
    assert type(transform({"image": tensor})["image"]) is torch.Tensor
    assert torch.equal(RandomDistortion(p=0)(tensor), tensor)


def test_the_transform_draws_by_its_generator(small):
    tensor = torch.from_numpy(small).permute(2, 0, 1)

    def draws(seed):
        transform = RandomDistortion(["gaussian_noise", "tint"], generator=torch.Generator().manual_seed(seed))
        return torch.stack([transform(tensor) for _ in range(4)])

    assert torch.equal(draws(0), draws(0))
    assert not torch.equal(draws(0), draws(1))


def test_transform_errors(small):
    for arguments, message in [
        ({"distortions": ["blur"]}, "distortion: expected one of"),
        ({"distortions": ["vibrance"], "levels": [5]}, r"levels: expected some of \(-2"),
        ({"p": 2}, "p: expected a finite number from 0 to 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            RandomDistortion(**arguments)
    with pytest.raises(TypeError, match="inputs: expected an image"):
        RandomDistortion()(small, 3)
    with pytest.raises(ValueError, match="PIL images of mode RGB or L"):
        RandomDistortion()(Image.fromarray(small).convert("CMYK"))

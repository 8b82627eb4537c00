import numpy as np
import pytest
import torch
from bgaugment import AlbumentationsReplacement, BackgroundReplacement, ListPool, TensorPool
from bgaugment.functional import replace_background
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

POOL = TensorPool(torch.arange(50, dtype=torch.uint8)[:, None, None, None].expand(50, 3, 6, 6))


def pair(n=None):
    mask = torch.zeros((6, 6) if n is None else (n, 6, 6), dtype=torch.bool)
    mask[..., :2] = True
    return tv_tensors.Image(
        torch.full((3, 6, 6) if n is None else (n, 3, 6, 6), 200, dtype=torch.uint8)
    ), tv_tensors.Mask(mask)


def test_it_is_a_step_of_a_v2_pipeline():
    image, mask = pair()
    pipeline = v2.Compose([v2.Resize((12, 12)), BackgroundReplacement(POOL), v2.ToDtype(torch.float32, scale=True)])
    result, result_mask, label = pipeline(image, mask, 7)
    assert type(result) is tv_tensors.Image
    assert type(result_mask) is tv_tensors.Mask
    assert label == 7
    assert torch.allclose(result[:, :, :4], torch.tensor(200 / 255))
    assert (result[:, :, 4:] < 50 / 255).all()


def test_structures_pil_and_batches():
    image, mask = pair()
    result = BackgroundReplacement(POOL)({"image": image, "target": {"masks": mask, "label": "cat"}})
    assert (result["image"][..., 2:] < 50).all()
    assert result["target"]["label"] == "cat"
    replaced, _ = BackgroundReplacement(POOL)(Image.new("RGB", (6, 6), (200, 200, 200)), mask)
    assert isinstance(replaced, Image.Image)
    assert (np.asarray(replaced)[:, :2] == 200).all()
    assert (np.asarray(replaced)[:, 2:] < 50).all()
    images, masks = pair(16)
    batch, _ = BackgroundReplacement(POOL)(images, masks)
    assert type(batch) is tv_tensors.Image
    assert len(batch[:, 0, 0, 5].unique()) > 4


def test_torch_seeds_the_draws():
    image, mask = pair()
    replace = BackgroundReplacement(POOL)
    torch.manual_seed(4)
    first = [int(replace(image, mask)[0][0, 0, 5]) for _ in range(10)]
    torch.manual_seed(4)
    assert first == [int(replace(image, mask)[0][0, 0, 5]) for _ in range(10)]
    assert len(set(first)) > 4
    seeded = [
        int(BackgroundReplacement(POOL, generator=torch.Generator().manual_seed(1))(image, mask)[0][0, 0, 5])
        for _ in range(3)
    ]
    assert len(set(seeded)) == 1


def test_p_is_the_share_of_replacements():
    image, mask = pair()
    replace = BackgroundReplacement(POOL, p=0.3, generator=torch.Generator().manual_seed(0))
    share = np.mean([int(replace(image, mask)[0][0, 0, 5]) != 200 for _ in range(600)])
    assert 0.22 < share < 0.38
    assert torch.equal(BackgroundReplacement(POOL, p=0)(image, mask)[0], image)


class Items(torch.utils.data.Dataset):
    def __init__(self, replace):
        self.replace = replace

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return int(self.replace(*pair())[0][0, 0, 5])


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_and_epochs_draw_differently_and_runs_alike(persistent):
    runs = []
    for _ in range(2):
        torch.manual_seed(8)
        loader = torch.utils.data.DataLoader(
            Items(BackgroundReplacement(POOL)), batch_size=4, num_workers=2, persistent_workers=persistent
        )
        runs.append([torch.cat(list(loader)).tolist() for _ in range(2)])
    first, second = runs[0]
    assert runs[0] == runs[1]
    assert first != second
    assert first[:4] != first[4:8]  # the first batches of the two workers


def test_a_generator_is_refused_in_workers():
    replace = BackgroundReplacement(POOL, generator=torch.Generator())
    loader = torch.utils.data.DataLoader(Items(replace), num_workers=1)
    with pytest.raises(ValueError, match="generator: expected None in a DataLoader worker"):
        list(loader)


@pytest.mark.parametrize(
    "inputs",
    [
        (np.zeros((6, 6, 3), np.uint8), np.zeros((6, 6))),
        (torch.zeros(3, 6, 6), torch.zeros(6, 6)),
        (pair()[0], torch.zeros(6, 6)),
        (pair()[0],),
        (*pair(), pair()[0]),
    ],
)
def test_plain_arrays_are_an_error(inputs):
    with pytest.raises(
        TypeError, match=r"inputs: expected one tv_tensors.Image or PIL image and one tv_tensors.Mask, got"
    ):
        BackgroundReplacement(POOL)(*inputs)


def test_bad_options_are_named():
    for kind in (BackgroundReplacement, AlbumentationsReplacement):
        with pytest.raises(ValueError, match="p: expected a probability, got 2"):
            kind(POOL, p=2)
        with pytest.raises(TypeError, match="pool: expected a background pool, got list"):
            kind([])
    with pytest.raises(ValueError, match="mask: expected 4 masks for as many images, got 2"):
        BackgroundReplacement(POOL)(pair(4)[0], pair(2)[1])


def test_albumentations_style_calls(scene):
    image, mask, background = scene
    result = AlbumentationsReplacement(ListPool([background]))(image=image, mask=mask, bboxes=[1])
    assert result["bboxes"] == [1]
    assert result["mask"] is mask
    np.testing.assert_array_equal(result["image"], replace_background(image, mask, background))
    with pytest.raises(TypeError, match="mask: expected a numpy array, got Tensor"):
        AlbumentationsReplacement(ListPool([background]))(image=image, mask=torch.tensor(mask))
    floats = AlbumentationsReplacement(ListPool([background]))(image=image / np.float32(255), mask=mask)["image"]
    np.testing.assert_allclose(floats, result["image"] / 255, atol=0.6 / 255)

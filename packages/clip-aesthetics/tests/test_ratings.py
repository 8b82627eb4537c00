import pytest
import torch
from clip_aesthetics import RatedImages, load_ratings
from PIL import Image

COUNTS = [[0, 1, 5, 17, 38, 36, 15, 6, 5, 1], [10, 7, 15, 26, 26, 21, 10, 8, 1, 2], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]]


def lines(*, ava):
    for number, (name, counts) in enumerate(zip(("953619", "953958", "954184"), COUNTS), start=1):
        votes = (" " if ava else ", ").join(map(str, counts))
        yield f"{number} {name} {votes} 1 22 1396" if ava else f"{name}, {votes}"


@pytest.fixture
def write(tmp_path):
    def file(*rows):
        path = tmp_path / "votes.csv"
        path.write_text("\n".join(rows) + "\n")
        return path

    return file


@pytest.mark.parametrize("ava", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_both_layouts(write, ava, header):
    table = load_ratings(write(*["id,1,2,3,4,5,6,7,8,9,10x"] * header, *lines(ava=ava), ""))
    assert table.ids == ("953619", "953958", "954184")
    assert table.counts.tolist() == COUNTS
    means = [sum(r * c for r, c in enumerate(counts, 1)) / sum(counts) for counts in COUNTS]
    torch.testing.assert_close(table.mean, torch.tensor(means))
    torch.testing.assert_close(table.distributions.sum(1), torch.ones(3))
    assert table.paths is None
    assert table.skipped == {}


def test_missing_and_damaged_images_are_listed(write, tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "953619.jpg")
    (tmp_path / "954184.jpg").write_bytes(b"no jpeg")
    path = write(*lines(ava=True))
    table = load_ratings(path, tmp_path)
    assert table.ids == ("953619", "954184")
    assert list(table.skipped) == ["953958"]
    table = load_ratings(path, tmp_path, verify=True)
    assert table.ids == ("953619",)
    assert "no file" in table.skipped["953958"]
    assert "UnidentifiedImageError" in table.skipped["954184"]
    images = RatedImages(table, lambda image: torch.tensor(image.size))
    assert len(images) == 1
    size, distribution = images[0]
    assert size.tolist() == [4, 4]
    torch.testing.assert_close(distribution, torch.tensor(COUNTS[0]) / 124)
    (tmp_path / "953619.jpg").unlink()
    with pytest.raises(ValueError, match="images: expected a file for at least one of 3 images"):
        load_ratings(path, tmp_path, verify=True)


@pytest.mark.parametrize(
    "line",
    ["a,1,2,3", "a,1,2,3,4,5,6,7,8,9,x", "a,0,0,0,0,0,0,0,0,0,0", "a,-1,1,1,1,1,1,1,1,1,1", "a,nan,1,1,1,1,1,1,1,1,1"],
)
def test_bad_lines_are_named(write, line):
    with pytest.raises(ValueError, match=r"votes\.csv, line 4: expected an id and ten vote counts, not all 0, got"):
        load_ratings(write(*lines(ava=False), line))


def test_other_bad_input_is_named(write, tmp_path):
    with pytest.raises(ValueError, match="line 4: expected each id once, got 953619"):
        load_ratings(write(*lines(ava=False), next(lines(ava=False))))
    with pytest.raises(ValueError, match="expected lines with an id and ten vote counts, got none"):
        load_ratings(write("id,votes"))
    with pytest.raises(FileNotFoundError, match="path: expected a file"):
        load_ratings(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="images: expected a folder"):
        load_ratings(write(*lines(ava=False)), tmp_path / "none")
    with pytest.raises(ValueError, match="table: expected ratings loaded with images=FOLDER"):
        RatedImages(load_ratings(write(*lines(ava=False))), torch.tensor)

import hashlib

import numpy as np
import pytest
from indirect import EmbeddingStore, InDiReCT
from indirect import _store as store_module

COLOURS = ["red", "green", "blue", "yellow", "pink"]


def test_rows_ids_and_what_was_skipped(tmp_path, encoder, photographs):
    paths = sorted(photographs.iterdir())
    store = EmbeddingStore.build(tmp_path / "store", paths, encoder, dtype="float32")
    assert store.ids == [str(path) for path in paths if path.suffix == ".png"]
    ((name, reason),) = store.skipped
    assert name.endswith("broken.jpg")
    assert "an image that decodes" in reason
    np.testing.assert_allclose(store.embeddings[0], np.array([250, 10, 10]) / 255, atol=1e-6)
    assert isinstance(EmbeddingStore(tmp_path / "store").embeddings, np.memmap)
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["embeddings.npy", "plan.json", "store.json"]


def test_transform_checks_the_encoder(tmp_path, encoder, make_encoder, photographs):
    store = EmbeddingStore.build(tmp_path / "store", sorted(photographs.iterdir()), encoder)
    notion = InDiReCT(3, encoder=encoder, random_state=0).fit(COLOURS)
    embedded = notion.transform(store)
    assert embedded.shape == (4, 3)
    assert embedded.dtype == np.float32
    other = InDiReCT(3, encoder=make_encoder("colours 2"), random_state=0).fit(COLOURS)
    with pytest.raises(ValueError, match=r"store: expected vectors of the encoder of the prompts \(colours 2\)"):
        other.transform(store)
    raw = EmbeddingStore.build(tmp_path / "raw", sorted(photographs.iterdir()), encoder, projected=False)
    with pytest.raises(ValueError, match="before the map"):
        notion.transform(raw)


def test_a_killed_run_goes_on(tmp_path, encoder, make_encoder, photographs, monkeypatch):
    monkeypatch.setattr(store_module, "_SHARD", 2)
    paths = sorted(photographs.iterdir())
    whole = EmbeddingStore.build(tmp_path / "whole", paths, encoder)

    class Killed(BaseException):
        pass

    class Dying(make_encoder):
        def encode_image(self, images, *, projected=True):
            if self.encoded >= 2:
                raise Killed
            return super().encode_image(images, projected=projected)

    with pytest.raises(Killed):
        EmbeddingStore.build(tmp_path / "again", paths, Dying())
    with pytest.raises(FileNotFoundError):
        EmbeddingStore(tmp_path / "again")
    # Killed inside a write: rows without their report, and half a file under a temporary name.
    for name in ("shards/000000002.npy", ".plan-0123abcd.json", ".embeddings-0123abcd.npy"):
        (tmp_path / "again" / name).write_bytes(b"half")
    rest = make_encoder()
    resumed = EmbeddingStore.build(tmp_path / "again", paths, rest)
    assert rest.encoded == 2
    digests = [hashlib.sha256(s.embeddings.tobytes()).hexdigest() for s in (whole, resumed)]
    assert digests[0] == digests[1]
    assert (whole.ids, whole.skipped) == (resumed.ids, resumed.skipped)
    assert not [*(tmp_path / "again").glob(".*")]
    finished = make_encoder()
    EmbeddingStore.build(tmp_path / "again", paths, finished)
    assert finished.encoded == 0


def test_a_begun_store_keeps_its_plan(tmp_path, encoder, make_encoder, photographs):
    paths = sorted(photographs.iterdir())
    EmbeddingStore.build(tmp_path / "store", paths, encoder)
    with pytest.raises(ValueError, match=r"encoder: expected what the store .* was begun with"):
        EmbeddingStore.build(tmp_path / "store", paths, make_encoder("colours 2"))
    with pytest.raises(ValueError, match="images: expected what the store"):
        EmbeddingStore.build(tmp_path / "store", paths[1:], encoder)
    with pytest.raises(ValueError, match="dtype: expected 'float16' or 'float32'"):
        EmbeddingStore.build(tmp_path / "other", paths, encoder, dtype="int8")
    with pytest.raises(ValueError, match="at least one that decodes"):
        EmbeddingStore.build(tmp_path / "none", [photographs / "broken.jpg"], encoder)
    with pytest.raises(ValueError, match="images: expected at least one path"):
        EmbeddingStore.build(tmp_path / "empty", [], encoder)

import numpy as np
import pytest
import torch
from indirect import InDiReCT, Prompts, fit_many
from sklearn.base import clone
from sklearn.pipeline import make_pipeline


def cosines(notion, rows):
    embedded = notion.transform(rows)
    return embedded @ embedded.T


@pytest.mark.parametrize("init", ["normal", "svd"])
def test_quasi_newton_reaches_the_loss_of_adam_and_improves_on_the_singular_vectors(texts, init):
    texts = texts[:20, :12]
    published = InDiReCT(6, solver="adam", init=init, max_iter=500, random_state=0).fit(texts)
    fast = InDiReCT(6, init=init, random_state=0).fit(texts)
    start = InDiReCT(6, init="svd", max_iter=1).fit(texts)
    # So small a problem has several minima, within a hundredth of one another.
    assert fast.loss_ <= published.loss_ * 1.01
    assert fast.loss_ < start.loss_


def test_loss_curve(texts):
    fast = InDiReCT(6, random_state=0).fit(texts)
    assert fast.n_iter_ == len(fast.loss_curve_)
    assert fast.loss_ == fast.loss_curve_[-1] == min(fast.loss_curve_)
    assert (np.diff(fast.loss_curve_) <= 0).all()


def test_adam_stops_by_patience_and_keeps_the_best(texts):
    notion = InDiReCT(4, solver="adam", patience=5, lr=0.3, random_state=0).fit(texts)
    curve = notion.loss_curve_
    assert notion.loss_ == min(curve)
    assert len(curve) == curve.index(min(curve)) + 6
    again = InDiReCT(4, solver="adam", max_iter=1, random_state=0).fit(texts)
    assert again.n_iter_ == 1


def test_adam_starts_at_the_published_normal(texts):
    notion = InDiReCT(5, solver="adam", max_iter=1, init_std=0.1, random_state=3).fit(texts)
    drawn = 0.1 * torch.randn(5, 24, generator=torch.Generator().manual_seed(3))
    np.testing.assert_array_equal(notion.components_, drawn.numpy())


def test_types_in_are_types_out(texts, images):
    notion = InDiReCT(6, random_state=0).fit(texts)
    array = notion.transform(images)
    tensor = notion.transform(torch.tensor(images))
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float32
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(array, tensor.numpy(), atol=1e-6)
    assert notion.transform(images.astype(np.float64)).dtype == np.float64
    assert notion.transform(images.astype(np.float16)).dtype == np.float16
    assert notion.transform(torch.tensor(images, dtype=torch.bfloat16)).dtype == torch.bfloat16
    np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(notion.transform(images[3:4]), array[3:4], atol=1e-6)
    np.testing.assert_allclose(notion.transform(5 * images), array, atol=1e-6)


def test_tensors_keep_their_gradient(texts, images):
    rows = torch.tensor(images, requires_grad=True)
    InDiReCT(6, random_state=0).fit(texts).transform(rows)[:, 0].sum().backward()
    assert rows.grad.abs().sum() > 0


def test_scikit_learn_conventions(texts, images):
    notion = InDiReCT(6, random_state=0, lr=0.02)
    copied = clone(notion)
    assert copied.get_params() == notion.get_params()
    assert repr(notion) == "InDiReCT(n_components=6, lr=0.02, random_state=0)"
    assert notion.set_params(n_components=3) is notion
    with pytest.raises(ValueError, match="params: expected names out of"):
        notion.set_params(components=3)
    pipeline = make_pipeline(InDiReCT(6, random_state=0)).fit(texts)
    np.testing.assert_array_equal(pipeline.transform(images), copied.fit(texts).transform(images))
    np.testing.assert_array_equal(copied.fit_transform(texts), copied.transform(texts))


def test_seeds(texts):
    first, second = (InDiReCT(6, random_state=0).fit(texts).components_ for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, InDiReCT(6, random_state=1).fit(texts).components_)
    state = torch.get_rng_state()
    InDiReCT(6).fit(texts)
    assert torch.equal(state, torch.get_rng_state())


def test_order_of_prompts_does_not_matter(texts):
    expected = cosines(InDiReCT(6, random_state=0).fit(texts), texts)
    np.testing.assert_allclose(cosines(InDiReCT(6, random_state=0).fit(texts[::-1].copy()), texts), expected, atol=0.01)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_fewer_prompts_than_components_and_all_components(texts, solver):
    options = {"solver": solver, "random_state": 0, "max_iter": 300}
    with pytest.warns(UserWarning, match="5 of them cannot determine 12 components"):
        few = InDiReCT(12, **options).fit(texts[:5])
    assert few.loss_ < 0.02
    assert few.transform(texts).shape == (40, 12)
    assert InDiReCT(24, **options).fit(texts).loss_ < 0.1


def test_a_notion_ignores_directions_in_which_its_prompts_do_not_differ(texts):
    few = InDiReCT(5, random_state=0).fit(texts[:5])
    elsewhere = np.linalg.svd(texts[:5])[2][-1].astype(np.float32)
    np.testing.assert_allclose(few.transform(texts[:5] + 3 * elsewhere), few.transform(texts[:5]), atol=1e-4)


def test_warnings(texts):
    deficient = np.concatenate(
        [np.eye(6)[:3], 2 - np.eye(6)[:3] - np.eye(6)[[1, 2, 0]], np.eye(6)[:1] + np.eye(6)[1:2]]
    )
    with pytest.warns(UserWarning, match=f"7 of them, of rank {np.linalg.matrix_rank(deficient)}, cannot determine 6"):
        InDiReCT(6).fit(deficient)
    with pytest.warns(UserWarning, match="1 pairs are nearly the same to the encoder, the first rows 0 and 40"):
        InDiReCT(6).fit(np.concatenate([texts, 1.001 * texts[:1]]))


def test_warning_names_the_texts(encoder):
    with pytest.warns(UserWarning, match="'a red car' and 'red'"):
        InDiReCT(2, encoder=encoder).fit(["a red car", "red", "blue"])


def test_automatic_components():
    generator = np.random.default_rng(0)
    varied = np.concatenate([generator.normal(size=(200, 7)), 0.01 * generator.normal(size=(200, 40))], axis=1)
    varied[:, 20] += 5  # what all prompts share
    assert 7 <= InDiReCT("auto").fit(varied).n_components_ <= 9


def test_many_notions_equal_single_ones(texts):
    notions = {"all": texts, "few": texts[:9], "other": texts[20:]}
    for solver, tolerance in (("lbfgs", 0.1), ("adam", 1e-3)):
        options = {"n_components": 6, "random_state": 0, "solver": solver, "max_iter": 100}
        together = fit_many(notions, **options)
        for name, rows in notions.items():
            alone = InDiReCT(**options).fit(rows)
            assert together[name].loss_ == pytest.approx(alone.loss_, rel=0.01)
            np.testing.assert_allclose(cosines(together[name], texts), cosines(alone, texts), atol=tolerance)


def test_many_notions_with_automatic_components(texts):
    fitted = fit_many({"all": texts, "few": texts[:4]}, n_components="auto", random_state=0)
    for name, rows in (("all", texts), ("few", texts[:4])):
        assert fitted[name].components_.shape == (InDiReCT("auto").fit(rows).n_components_, 24)


def test_texts_and_images(encoder, photographs):
    from PIL import Image

    prompts = Prompts("a {} thing", ["red", "green", "blue", "yellow", "pink"])
    notion = InDiReCT(3, encoder=encoder, random_state=0).fit(prompts)
    assert notion.prompts_ == list(prompts)
    assert notion.encoder_identity_ == "colours 1"
    pictures = [Image.open(path) for path in sorted(photographs.glob("*.png"))]
    embedded = notion.transform(pictures)
    assert (embedded @ embedded.T)[0].argsort(descending=True).tolist()[:2] == [0, 3]  # both are red
    assert notion.fit_transform(list(prompts)).shape == (5, 3)


def test_save_and_load(texts, images, tmp_path, encoder, make_encoder):
    path = tmp_path / "colour.safetensors"
    notion = InDiReCT(3, encoder=encoder, random_state=0).fit(["red", "green", "blue", "a yellow car"])
    notion.save(path)
    loaded = InDiReCT.load(path, encoder=encoder)
    rows = images[:, :3]
    np.testing.assert_array_equal(loaded.transform(rows), notion.transform(rows))
    for name in ("prompts_", "encoder_identity_", "loss_", "loss_curve_", "n_iter_", "n_components_", "random_state"):
        assert getattr(loaded, name) == getattr(notion, name)
    with pytest.raises(ValueError, match=r"encoder: expected vectors of the encoder of the prompts \(colours 1\)"):
        InDiReCT.load(path, encoder=make_encoder("colours 2"))

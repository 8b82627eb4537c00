import numpy as np
import pytest
import torch
from aesthetic_pretext import NimaModel, _finetune_run, finetune, predict
from aesthetic_pretext.evaluation import compare_errors, label_curve, rating_scores
from aesthetic_pretext.ratings import RatedDataset, mean_rating, read_ava, read_ratings, read_tid2013
from scipy import stats
from torch import nn


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_finetuning_freezes_then_halves_then_stops(folder, make_backbone, monkeypatch):
    files = sorted(folder.glob("*.png"))
    rated = RatedDataset(files, [2.0, 4.0, 5.0, 7.0, 8.0], size=16)
    model = NimaModel(make_backbone())
    backbone = weights(model.features)
    frozen = []
    original = nn.Module.requires_grad_

    def watch(self, requires_grad=True):
        if self is model.features:
            frozen.append(not requires_grad)
        return original(self, requires_grad)

    monkeypatch.setattr(nn.Module, "requires_grad_", watch)
    distances = iter([1.0, 0.9, 0.95, 0.95, 0.8, 0.85, 0.85, 0.85, 0.85])
    monkeypatch.setattr("aesthetic_pretext.functional.emd_loss", _distances(distances))
    result = finetune(model, rated, rated, batch_size=5, plateau=2, patience=4)
    assert result.unfrozen_epoch == 5
    assert frozen == [True] * 4 + [False] * 5
    assert result.best_epoch == 5
    assert result.epochs == 9
    rates = [row["learning_rate"] for row in result.history]
    assert rates == pytest.approx([1e-3] * 4 + [5e-4] * 3 + [2.5e-4] * 2)
    assert not torch.equal(weights(model.features), backbone)


def _distances(values):
    from aesthetic_pretext.functional import emd_loss

    def replaced(logits, target):
        loss = emd_loss(logits, target)
        return loss if loss.requires_grad else torch.tensor(next(values))

    return replaced


def test_finetuning_learns_ratings(folder, make_backbone):
    files = sorted(folder.glob("*.png"))
    rated = RatedDataset(files, [2.0, 2.0, 2.0, 2.0, 2.0], size=16)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = NimaModel(make_backbone(), dropout=0.0)
    result = finetune(model, rated, rated, epochs=25, batch_size=5, head_learning_rate=0.2)
    assert result.history[-1]["validation"] < 0.3 * result.history[0]["validation"]


@pytest.mark.parametrize("stopped_at", [1, 3, 14])
def test_a_stopped_run_makes_the_same_next_steps(stopped_at, folder, make_backbone, tmp_path, stopping):
    rated = RatedDataset(sorted(folder.glob("*.png")), [2.0, 4.0, 5.0, 7.0, 8.0], size=16)
    options = {"epochs": 9, "batch_size": 2, "plateau": 2, "patience": 3, "head_learning_rate": 0.3}

    def make():
        with torch.random.fork_rng():
            torch.manual_seed(2)
            return NimaModel(make_backbone())

    whole, resumed = make(), make()
    expected = finetune(whole, rated, rated, **options)
    assert expected.unfrozen_epoch is not None
    saving = {"checkpoint": tmp_path / "run", "checkpoint_every": 1}
    with stopping(_finetune_run.FinetuneRun, stopped_at):
        finetune(make(), rated, rated, **saving, **options)
    with torch.no_grad():
        for parameter in resumed.parameters():  # everything comes from the checkpoint
            parameter.zero_()
    result = finetune(resumed, rated, rated, **saving, **options)
    assert result == expected
    assert torch.equal(weights(resumed), weights(whole))
    # A run that is over stays as it is.
    again = make()
    assert finetune(again, rated, rated, **saving, **options) == expected
    assert torch.equal(weights(again), weights(whole))
    with pytest.raises(
        ValueError, match=r"expected a run with \{'batch_size': 3\}, got '?one with \{'batch_size': 2\}"
    ):
        finetune(again, rated, rated, **saving, **{**options, "batch_size": 3})


def test_rating_scores_equal_scipy():
    generator = torch.Generator().manual_seed(0)
    given = torch.randint(2, 9, (40,), generator=generator).double().numpy()
    predicted = given + torch.randint(-2, 3, (40,), generator=generator).numpy()
    scores = rating_scores(predicted, given)
    assert scores.pearson == pytest.approx(stats.pearsonr(predicted, given).statistic)
    assert scores.spearman == pytest.approx(stats.spearmanr(predicted, given).statistic)
    assert scores.mae == pytest.approx(abs(predicted - given).mean())
    assert scores.accuracy == pytest.approx(((predicted > 5) == (given > 5)).mean())
    with pytest.raises(ValueError, match="finite numbers"):
        rating_scores([1.0, float("nan")], [1.0, 2.0])


def test_error_tests_are_one_sided_and_corrected():
    base = [0.5 + 0.01 * i for i in range(30)]
    better, worse = [x - 0.1 - 0.001 * i for i, x in enumerate(base)], [x + 0.1 for x in base]
    table = compare_errors({"ImageNet": base, "better": better, "worse": worse, "same": base}, baseline="ImageNet")
    single = stats.wilcoxon([b - a for a, b in zip(base, better)], alternative="less").pvalue
    assert table["better"]["p_value"] == pytest.approx(3 * single)
    assert [row["significant"] for row in table.values()] == [True, False, False]
    with pytest.raises(ValueError, match="baseline: expected one of"):
        compare_errors({"a": [1.0]}, baseline="b")


def test_label_curve_runs_every_share_and_seed():
    seen = []

    def run(share, seed):
        seen.append((share, seed))
        return {"mae": share + seed}

    rows = label_curve(run, shares=[0.5, 1], seeds=2)
    assert seen == [(0.5, 0), (0.5, 1), (1, 0), (1, 1)]
    assert rows[0] == {"share": 0.5, "mae": 1.0, "mae_sd": 0.5}
    with pytest.raises(ValueError, match="shares in"):
        label_curve(dict, shares=[0.0])


def test_loaders(folder, tmp_path):
    ava = tmp_path / "AVA.txt"
    ava.write_text("1 77 0 0 0 0 1 3 0 0 0 0 1 22 1396\n2 78 0 0 0 0 1 3 0 0 0 0 1 22 1396\n")
    (folder / "77.jpg").write_bytes(b"")
    rated = read_ava(ava, images=folder)
    assert len(rated) == 1
    assert mean_rating(rated.ratings).tolist() == [5.75]
    tid = tmp_path / "tid"
    (tid / "distorted_images").mkdir(parents=True)
    (tid / "distorted_images" / "i01_01_1.bmp").write_bytes(b"")
    (tid / "mos_with_names.txt").write_text("5.51429 I01_01_1.bmp\n")
    assert mean_rating(read_tid2013(tid).ratings).tolist() == pytest.approx([6.51429])
    votes = tmp_path / "votes.csv"
    votes.write_text("image,1,2,3,4,5,6,7,8,9,10\n0.png,0,0,0,0,1,1,0,0,0,0\n")
    assert mean_rating(read_ratings(votes, images=folder).ratings).tolist() == [5.5]
    for text, message in [("image,rating\n0.png,x\n", "numbers in"), ("a,b\n1,2\n", "columns image"),
                          ("image,rating\n0.png,11\n", "means in")]:  # fmt: skip
        votes.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_ratings(votes, images=folder)
    votes.write_text("image,rating\nnone.png,3\n")
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read_ratings(votes, images=folder)
    ava.write_text("hello\n")
    with pytest.raises(ValueError, match="ten numbers of votes"):
        read_ava(ava, images=folder)


def test_finetuning_errors(folder, make_backbone, tmp_path):
    rated = RatedDataset(sorted(folder.glob("*.png")), np.full(5, 3.0), size=16)
    with pytest.raises(ValueError, match="patience: expected a whole number of at least 1"):
        finetune(NimaModel(make_backbone()), rated, rated, patience=0)
    with pytest.raises(ValueError, match="validation: expected rated photographs"):
        finetune(NimaModel(make_backbone()), rated, RatedDataset([], np.zeros((0, 10))))
    model = NimaModel(make_backbone())
    with torch.no_grad():
        model.head[1].weight.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="loss: expected a finite number, got nan in epoch 1"):
        finetune(model, rated, rated)
    (tmp_path / "last.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="expected a file that aesthetic-pretext wrote"):
        finetune(NimaModel(make_backbone()), rated, rated, checkpoint=tmp_path)
    assert predict(NimaModel(make_backbone()), rated).sum(1).tolist() == pytest.approx([1.0] * 5)

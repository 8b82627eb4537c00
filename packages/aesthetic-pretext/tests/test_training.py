import os
import subprocess
import sys

import pytest
import torch
from aesthetic_pretext import LossSum, NimaModel, PretextDataset, PretextModel, _run, finetune, pretrain
from aesthetic_pretext.baselines import RotationDataset, RotNetModel, SimCLRModel, ViewDataset
from aesthetic_pretext.evaluation import (
    compare_errors,
    distortion_accuracy,
    label_curve,
    rating_scores,
    response_curves,
)
from aesthetic_pretext.ratings import RatedDataset, mean_rating, read_ava, read_ratings, read_tid2013
from scipy import stats
from torch import nn

OPTIONS = {"images_per_batch": 2, "epochs": 2, "learning_rate": 1e-3}
TASKS = ("ranking", "classification", "regression")


@pytest.fixture
def make_model(make_backbone):
    def make(tasks=TASKS):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return PretextModel(make_backbone(), tasks)

    return make


def dataset_of(folder):
    return PretextDataset(folder, size=16, variants_per_image=8)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def numbers(history):
    return [{name: value for name, value in row.items() if name != "images_per_second"} for row in history]


def test_pretraining_lowers_the_loss(folder, make_model):
    model = PretextModel(make_model().features, ["ranking"], dropout=0.0)
    result = pretrain(model, PretextDataset(folder, size=16), **{**OPTIONS, "epochs": 10, "learning_rate": 3e-3})
    losses = [row["ranking"] for row in result.history]
    assert sum(losses[-3:]) < 0.97 * sum(losses[:3])
    assert result.history[1]["learning_rate"] == pytest.approx(3e-3 * 0.98)
    assert result.best_epoch == 10


@pytest.mark.parametrize("stopped_at", [1, 3])
def test_a_stopped_run_makes_the_same_next_steps(stopped_at, folder, make_model, tmp_path, monkeypatch):
    whole, resumed = make_model(), make_model()
    validation = PretextDataset(folder, size=16, variants_per_image=5, seed=9)
    expected = pretrain(whole, dataset_of(folder), validation=validation, **OPTIONS)
    step, count = _run.Run.training_step, [0]

    def stop(self, *arguments):
        if count[0] == stopped_at:
            raise KeyboardInterrupt
        count[0] += 1
        return step(self, *arguments)

    saving = {"checkpoint": tmp_path / "run", "checkpoint_every": 1}
    with monkeypatch.context() as patch:
        patch.setattr(_run.Run, "training_step", stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain(make_model(), dataset_of(folder), validation=validation, **saving, **OPTIONS)
    with torch.no_grad():
        for parameter in resumed.parameters():  # everything comes from the checkpoint
            parameter.zero_()
    result = pretrain(resumed, dataset_of(folder), validation=validation, **saving, **OPTIONS)
    assert torch.equal(weights(resumed), weights(whole))
    assert numbers(result.history) == numbers(expected.history)
    assert result.best_epoch == expected.best_epoch
    with pytest.raises(ValueError, match=r"expected a run with \{'seed': 1\}, got '?one with \{'seed': 0\}"):
        pretrain(resumed, dataset_of(folder), seed=1, **saving, **OPTIONS)


def test_the_best_epoch_is_kept(folder, make_model, monkeypatch):
    values = iter([3.0, 1.0, 2.0])
    seen = []

    def validate(self, *_):
        seen.append(weights(self.model))
        return {"validation": next(values)}

    monkeypatch.setattr(_run.Run, "validate", validate)
    model = make_model()
    result = pretrain(model, dataset_of(folder), validation=dataset_of(folder), **{**OPTIONS, "epochs": 3})
    assert result.best_epoch == 2
    assert torch.equal(weights(model), seen[1])


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision(precision, folder, make_model):
    result = pretrain(make_model(), dataset_of(folder), precision=precision, **{**OPTIONS, "epochs": 1})
    assert result.history[0]["ranking"] > 0


def test_log_and_global_generator(folder, make_model, tmp_path):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    pretrain(make_model(), dataset_of(folder), log=tmp_path / "log.csv", **OPTIONS)
    assert torch.equal(torch.get_rng_state(), state)
    header, *lines = (tmp_path / "log.csv").read_text().splitlines()
    assert header == "epoch,learning_rate,ranking,classification,regression,images_per_second"
    assert [line.split(",")[0] for line in lines] == ["1", "2"]


def test_tensorboard(folder, make_model, tmp_path):
    pretrain(make_model(), dataset_of(folder), tensorboard=tmp_path, **{**OPTIONS, "epochs": 1})
    assert list(tmp_path.glob("events*"))


def test_baselines_train_in_the_same_trainer(folder, make_backbone):
    for model, dataset in [
        (RotNetModel(make_backbone()), RotationDataset(folder, size=16)),
        (SimCLRModel(make_backbone()), ViewDataset(folder, size=16)),
    ]:
        before = weights(model)
        result = pretrain(model, dataset, balance=LossSum(), **OPTIONS)
        assert len(result.history) == 2
        assert not torch.equal(weights(model), before)
    views = ViewDataset(folder, size=16)
    batch = views.collate([views[0], views[1]])
    perfect = {"contrast": torch.eye(2).repeat_interleave(2, 0)}
    assert SimCLRModel(make_backbone(), temperature=0.05).losses(perfect, batch)["contrast"] < 1e-6
    turned = RotationDataset(folder, size=16)
    rotated = turned.collate([turned[0]])
    assert torch.equal(rotated.images[1].rot90(-1, (1, 2)), rotated.images[0])


WORKER = """
import sys, torch
from torch import distributed, nn
from aesthetic_pretext import PretextDataset, PretextModel, pretrain
torch.set_num_threads(1)
distributed.init_process_group("gloo")
torch.manual_seed(0)
model = PretextModel(nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU()), dropout=0.0)
dataset = PretextDataset(sys.argv[1], size=16, variants_per_image=8)
result = pretrain(model, dataset, epochs=2, images_per_batch=4, learning_rate=1e-3)
if distributed.get_rank() == 0:
    print(result.history[-1]["ranking"], result.history[-1]["regression"])
    print(" ".join(str(float(x)) for p in model.parameters() for x in p.detach().flatten()[:5]))
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_equal_one(folder, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    outputs = []
    for processes in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        run = subprocess.run(
            [*command, str(script), str(folder)], capture_output=True, text=True, check=True, env=environment
        )
        outputs.append([float(x) for x in run.stdout.split()])
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-4, abs=1e-6)


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


def test_rating_scores_equal_scipy():
    generator = torch.Generator().manual_seed(0)
    given = torch.randint(2, 9, (40,), generator=generator).double().numpy()
    predicted = given + torch.randint(-2, 3, (40,), generator=generator).numpy()
    scores = rating_scores(predicted, given)
    assert scores.pearson == pytest.approx(stats.pearsonr(predicted, given).statistic)
    assert scores.spearman == pytest.approx(stats.spearmanr(predicted, given).statistic)
    assert scores.mae == pytest.approx(abs(predicted - given).mean())
    assert scores.accuracy == pytest.approx(((predicted > 5) == (given > 5)).mean())
    with pytest.raises(ValueError, match="finite ratings"):
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


def test_accuracy_and_curves_of_a_model_that_knows(folder, make_model):
    dataset = PretextDataset(folder, size=16)
    model = make_model()
    accuracy = distortion_accuracy(model, dataset)
    assert set(accuracy) == {"technical", "style", "composition"}
    assert all(0 <= value <= 1 for value in accuracy.values())
    item = dataset[0]
    answers = iter([torch.nn.functional.one_hot(dataset[i].groups.clamp_min(0) % 21, 21).float() for i in range(5)])
    model.forward = lambda images: {"classification": next(answers)}
    assert set(distortion_accuracy(model, dataset).values()) == {1.0}
    levels, outputs = response_curves(make_model(), dataset, "vibrance")
    assert levels == (-2, -1, 0, 1, 2, 3, 4)
    assert outputs.shape == (5, 7, 21)
    assert item.images.shape[0] == 174
    with pytest.raises(ValueError, match="one with the task 'classification'"):
        distortion_accuracy(make_model(["ranking"]), dataset)


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


def test_training_errors(folder, make_model, make_backbone):
    with pytest.raises(ValueError, match="images_per_batch: expected at most the 5 photographs"):
        pretrain(make_model(), dataset_of(folder))
    with pytest.raises(ValueError, match="precision: expected one of"):
        pretrain(make_model(), dataset_of(folder), precision="half", **OPTIONS)
    with pytest.raises(ValueError, match="tasks: expected some of"):
        PretextModel(make_backbone(), ["rating"])
    with pytest.raises(ValueError, match=r"backbone: expected a module that returns \(n, d\)"):
        PretextModel(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(1, 2)))
    flat = PretextModel(nn.Sequential(nn.Conv2d(3, 1, 8, stride=8), nn.Flatten()))
    with pytest.raises(ValueError, match="a size at which the backbone has 784 features"):
        flat(torch.zeros(2, 3, 64, 64))
    model = make_model()
    with torch.no_grad():
        model.heads["ranking"][1].weight.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="loss: expected a finite number"):
        pretrain(model, dataset_of(folder), **OPTIONS)

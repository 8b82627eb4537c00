import os
import subprocess
import sys

import pytest
import torch
from aesthetic_pretext import LossSum, PretextDataset, PretextModel, RankingLoss, _run, pretrain
from aesthetic_pretext.baselines import RotationDataset, RotNetModel, SimCLRModel, ViewDataset
from aesthetic_pretext.evaluation import (
    distortion_accuracy,
    response_curves,
)
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


def test_the_losses_in_a_loop_of_ones_own(folder, make_backbone):
    network = nn.Sequential(make_backbone(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    dataset = PretextDataset(folder, size=16)
    losses = []
    for _ in range(6):
        for images, levels, groups, reference in torch.utils.data.DataLoader(dataset, 5, collate_fn=dataset.collate):
            loss = RankingLoss()(network(images / 255).sigmoid(), levels, groups, reference=reference)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] < 500


@pytest.mark.parametrize("stopped_at", [1, 3])
def test_a_stopped_run_makes_the_same_next_steps(stopped_at, folder, make_model, tmp_path, stopping):
    whole, resumed = make_model(), make_model()
    validation = PretextDataset(folder, size=16, variants_per_image=5, seed=9)
    expected = pretrain(whole, dataset_of(folder), validation=validation, **OPTIONS)
    saving = {"checkpoint": tmp_path / "run", "checkpoint_every": 1}
    with stopping(_run.Run, stopped_at):
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
result = pretrain(model, dataset, epochs=3, images_per_batch=3, learning_rate=1e-3)
if distributed.get_rank() == 0:
    print(result.history[-1]["ranking"], result.history[-1]["regression"])
    print(" ".join(str(float(x)) for p in model.parameters() for x in p.detach().flatten()[:5]))
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_with_unequal_parts_equal_one(folder, tmp_path):
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

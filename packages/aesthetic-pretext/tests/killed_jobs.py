"""A program that forks a child per line of standard input: torch is imported once, and each child can be killed.

``python killed_jobs.py PHOTOS``; a line is ``JOB OUT``; two lines come back: process id and wait status. Jobs
are slowed, so that a random moment is likely to be inside of one.
"""

import os
import sys
import time
from pathlib import Path

import torch
from aesthetic_pretext import (
    NimaModel,
    PretextDataset,
    PretextModel,
    _checkpoint,
    _finetune_run,
    _run,
    _shards,
    finetune,
    pretrain,
)
from aesthetic_pretext.files import make_variants
from aesthetic_pretext.ratings import RatedDataset
from safetensors.torch import save_file
from torch import nn


def slow(owner, name, seconds=0.01):
    """Let a function take longer, before and after its work."""
    function = getattr(owner, name)

    def slowed(*arguments, **options):
        time.sleep(seconds)
        result = function(*arguments, **options)
        time.sleep(seconds)
        return result

    setattr(owner, name, slowed)


def variants_job(photos, out):
    make_variants(photos, out, photos_per_shard=1, size=16, num_workers=1)


def pretrain_job(photos, out):
    model = PretextModel(backbone())
    dataset = PretextDataset(photos, size=16, variants_per_image=6)
    validation = PretextDataset(photos, size=16, variants_per_image=3, seed=1)
    saving = {"checkpoint": out / "run", "checkpoint_every": 2, "log": out / "log.csv"}
    pretrain(model, dataset, validation=validation, epochs=2, images_per_batch=1, learning_rate=1e-3, **saving)
    save_file(model.state_dict(), out / "model.safetensors")


def finetune_job(photos, out):
    model = NimaModel(backbone())
    files = sorted(photos.iterdir())
    rated = RatedDataset(files, [float(2 + i) for i in range(len(files))], size=16)
    saving = {"checkpoint": out / "run", "checkpoint_every": 2}
    finetune(model, rated, rated, epochs=5, batch_size=2, plateau=1, patience=8, **saving)
    save_file(model.state_dict(), out / "model.safetensors")


def backbone():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU())


def say(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


JOBS = {"make-variants": variants_job, "pretrain": pretrain_job, "finetune": finetune_job}


def main():
    torch.set_num_threads(1)
    for owner, name in (
        (_shards.VariantRows, "__call__"), (_run.Run, "training_step"), (_finetune_run.FinetuneRun, "training_step"),
        (_checkpoint, "save_file"),
    ):  # fmt: skip
        slow(owner, name)
    for line in sys.stdin:
        job, out = line.split()
        child = os.fork()
        if child == 0:
            JOBS[job](Path(sys.argv[1]), Path(out))
            os._exit(0)
        say(child)
        say(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()

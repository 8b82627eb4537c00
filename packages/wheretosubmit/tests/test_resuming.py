"""A training that is killed goes on, and what it leaves is never taken for a model."""

import multiprocessing
import random
import signal
import time

import numpy as np
import pytest
from pyarrow import parquet, table
from wheretosubmit import VenueRecommender, _training
from wheretosubmit._cli import main


@pytest.fixture
def stop(monkeypatch):
    """Make the training stop at the start of an epoch, as Ctrl+C does; return the number of epochs that ran."""
    ran = []
    train_epoch = _training._train_epoch

    def at(epoch):
        def stopping(state, *arguments):
            if len(state.history) == epoch:
                raise KeyboardInterrupt
            ran.append(len(state.history))
            return train_epoch(state, *arguments)

        monkeypatch.setattr(_training, "_train_epoch", stopping)
        return ran

    return at


@pytest.mark.parametrize("embedding", ["learned", "word2vec"])
def test_a_training_that_goes_on_equals_an_unbroken_one(embedding, papers, options, tmp_path, stop):
    options = {**options, "embedding": embedding, "epochs": 5}
    unbroken = VenueRecommender(**options).fit(papers)
    checkpoint = tmp_path / "new" / "training.safetensors"
    for epoch in (0, 1, 3):
        stop(epoch)
        with pytest.raises(KeyboardInterrupt):
            VenueRecommender(**options).fit(papers, checkpoint=checkpoint)
    ran = stop(None)
    ran.clear()
    resumed = VenueRecommender(**options).fit(papers, checkpoint=checkpoint)
    assert ran == [3, 4]
    assert resumed.history_ == unbroken.history_
    assert np.array_equal(resumed.predict_scores(papers), unbroken.predict_scores(papers))
    again = VenueRecommender(**options).fit(papers, checkpoint=checkpoint)  # nothing is left to do
    assert ran == [3, 4]
    assert np.array_equal(again.predict_scores(papers), unbroken.predict_scores(papers))


def test_a_checkpoint_of_another_training_is_replaced(papers, options, tmp_path, stop):
    checkpoint = tmp_path / "training.safetensors"
    options = {**options, "epochs": 2}
    VenueRecommender(**options).fit(papers, checkpoint=checkpoint)
    ran = stop(None)
    others = [
        lambda: VenueRecommender(**{**options, "seed": 1}).fit(papers, checkpoint=checkpoint),
        lambda: VenueRecommender(**options).fit({**papers, "title": papers["abstract"]}, checkpoint=checkpoint),
        lambda: checkpoint.write_bytes(checkpoint.read_bytes()[:1000]),
        lambda: VenueRecommender(**options).fit(papers, checkpoint=checkpoint),
    ]
    for other in others:
        other()
    assert ran == [0, 1] * 3


def test_a_folder_holds_one_whole_model_at_any_time(papers, options, recommender, tmp_path, monkeypatch):
    recommender.save(tmp_path)
    old = recommender.predict_scores(papers)
    other = VenueRecommender(**{**options, "epochs": 1}).fit(papers)
    replace = type(tmp_path).replace
    for writes in (0, 1):  # killed before the numbers, and between the two files
        left = writes

        def killed(path, target):
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return replace(path, target)

        monkeypatch.setattr(type(tmp_path), "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            other.save(tmp_path)
        monkeypatch.undo()
        assert np.array_equal(VenueRecommender.load(tmp_path).predict_scores(papers), old)
    (tmp_path / ".model-0123.safetensors").write_bytes(b"half")
    other.save(tmp_path)
    assert np.array_equal(VenueRecommender.load(tmp_path).predict_scores(papers), other.predict_scores(papers))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.kills
def test_killed_at_ten_random_points_it_ends_as_an_unbroken_training(papers, tmp_path):
    file = tmp_path / "papers.parquet"
    many = {name: column * 30 for name, column in papers.items()}  # else most kills come before the first epoch
    parquet.write_table(table(many), file)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wheretosubmit._recommender", "pyarrow.parquet"])

    def start(folder):
        arguments = ["train", str(file), "--out", str(folder), "--fields", "title", "abstract", "--epochs", "8"]
        process = context.Process(target=main, args=(arguments,))
        process.start()
        return process

    def finish(folder):
        begin = time.perf_counter()
        process = start(folder)
        process.join()
        assert process.exitcode == 0
        return time.perf_counter() - begin, VenueRecommender.load(folder)

    finish(tmp_path / "warm")
    seconds, unbroken = finish(tmp_path / "unbroken")
    points, landed, resumed = random.Random(0), 0, 0
    while landed < 10:
        folder = tmp_path / f"killed {landed}"
        process = start(folder)
        time.sleep(points.uniform(0, seconds))
        process.kill()
        process.join()
        if process.exitcode != -signal.SIGKILL:
            continue  # it had ended
        landed += 1
        resumed += (folder / "training.safetensors").exists()
        if not (folder / "model.json").exists():
            with pytest.raises(FileNotFoundError):
                VenueRecommender.load(folder)
        _, recommender = finish(folder)
        assert recommender.history_ == unbroken.history_
        assert np.array_equal(recommender.predict_scores(papers), unbroken.predict_scores(papers))
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            path.name for path in (tmp_path / "unbroken").iterdir()
        )
    assert resumed

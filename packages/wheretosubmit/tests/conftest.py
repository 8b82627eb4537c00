import contextlib
import socket
import threading
import time

import numpy as np
import pytest
import torch
import uvicorn
from wheretosubmit import VenueRecommender

torch.set_num_threads(1)  # the networks are so small that a second thread waits more than it works

TOPICS = {
    "ACL": "parsing grammar sentences translation words syntax",
    "CVPR": "image segmentation pixels cameras depth detection",
    "ICRA": "robot gripper motion arm planning torque",
}


@pytest.fixture(scope="session")
def papers():
    """Ninety papers of three venues, each text six words of the venue's topic and four common ones."""
    generator = np.random.default_rng(0)
    common = ["we", "propose", "a", "new", "method", "that", "learns", "from", "data", "and", "improves", "results"]

    def text(venue):
        words = [*generator.choice(TOPICS[venue].split(), 6), *generator.choice(common, 4)]
        return " ".join(generator.permutation(words))

    venues = sorted(TOPICS) * 30
    return {"title": [text(v) for v in venues], "abstract": [text(v) for v in venues], "venue": venues}


@pytest.fixture(scope="session")
def options():
    """A recommender that is small enough for tests."""
    return {
        "fields": ("title", "abstract"),
        "embedding_dim": 12,
        "filters": 8,
        "kernel_sizes": (1, 2),
        "hidden": 16,
        "dropout": 0.1,
        "batch_size": 16,
        "learning_rate": 0.02,
        "word_dropout": 0.2,
        "field_dropout": 0.3,
        "epochs": 30,
        "patience": 30,
    }


@pytest.fixture(scope="session")
def recommender(papers, options):
    return VenueRecommender(**options).fit(papers)


@pytest.fixture(scope="session")
def model_folder(recommender, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    recommender.save(folder)
    return folder


@pytest.fixture(scope="session")
def serving():
    """A context manager that runs a real server on a free port of the loopback device."""

    @contextlib.contextmanager
    def run(app):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            thread.join()

    return run

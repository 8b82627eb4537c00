"""InDiReCT in a scikit-learn pipeline, under cross-validation and grid search."""

import numpy as np
from indirect import InDiReCT
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

RNG = np.random.default_rng(0)
COLOURS = RNG.normal(size=(6, 64))
LABELS = np.arange(90) % 6
# The colour is in the texts alone; in the images it is the smaller part.
TEXTS = 1.0 + COLOURS.repeat(4, 0) + 0.4 * RNG.normal(size=(24, 64))
IMAGES = 1.0 + COLOURS[LABELS] + 2.5 * RNG.normal(size=(90, 8)) @ RNG.normal(size=(8, 64))


def test_notion_of_texts_in_front_of_a_classifier_of_images(shown):
    names = {f.__name__: f for f in (make_pipeline, FrozenEstimator, KNeighborsClassifier)}
    plain = cross_val_score(KNeighborsClassifier(), IMAGES, LABELS, cv=3)
    pipeline = shown("indirect", "make_pipeline(", **names, notion=InDiReCT(5, random_state=0).fit(TEXTS))
    scores = cross_val_score(pipeline, IMAGES, LABELS, cv=3)
    assert scores.mean() > plain.mean() + 0.1


def test_grid_search_over_its_arguments():
    pipeline = Pipeline([("notion", InDiReCT(2, random_state=0)), ("classes", KNeighborsClassifier(3))])
    grid = {"notion__n_components": [1, 5], "classes__n_neighbors": [1, 3]}
    labels = np.repeat(np.arange(6), 4)
    search = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS, labels)
    assert search.best_params_["notion__n_components"] == 5
    assert search.best_score_ == 1.0
    assert search.best_estimator_["notion"].components_.shape == (5, 64)
    assert search.cv_results_["mean_test_score"].shape == (4,)

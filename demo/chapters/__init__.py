"""The independent chapters of the demo: each module has a function ``run(settings) -> Chapter``."""

STORY = {
    "Understand what a model has learned": ["nrprecision", "cargen", "dml_attribution", "mapgen", "wheretosubmit"],
    "Improve the next one": [
        "bgaugment",
        "simloss",
        "lexicon_weaklabel",
        "indirect",
        "clip_aesthetics",
        "aesthetic_pretext",
    ],
}

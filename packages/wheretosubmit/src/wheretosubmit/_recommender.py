"""The venue recommender."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from . import _storage
from ._checkpoint import Checkpoint
from ._checks import as_path, as_strings, check_type, choice, positive
from ._core import value_error
from ._explanation import Explanation, explain_venues
from ._highlight import Palette, check_palette
from ._model import Model, frozen, learn_model, new_network
from ._options import Options
from ._papers import Data, Papers
from ._ranker import as_texts
from ._split import stratified_split
from ._training import predict


class VenueRecommender(Options):
    """Recommend venues for the text of a paper, and say which words made it recommend them.

    Each field has its own word embedding and convolutions, of which the maximum and the mean over time are kept; what
    they found goes through two dense layers with dropout and batch normalisation. Any labelled text will do: the label
    need not be a venue. Hyperparameters are attributes; what ``fit`` learns ends in an underscore.

    Args:
        fields: columns with text; each one may be missing in some papers.
        label: column with the venue.
        embedding: ``"learned"`` word vectors start at random, ``"word2vec"`` ones where Word2Vec puts them
            after it has read the training papers (extra ``word2vec``).
        embedding_dim: length of a word vector.
        filters: filters per field and kernel size.
        kernel_sizes: how many neighbouring words a filter sees.
        hidden: units of the first dense layer.
        dropout: share of the inputs of both dense layers left out in training.
        word_dropout: share of the words left out in training.
        field_dropout: share of the fields left out in training, which prepares for papers without them.
        min_count: how often a word must occur in the training papers to be known.
        max_tokens: how many words of each field are read.
        label_smoothing: share of each target that is spread over all venues.
        learning_rate: the highest one of AdamW; it rises for three tenths of the training and then falls.
        weight_decay: of the convolutions and dense layers.
        batch_size: papers per step.
        epochs: passes over the training papers at most.
        patience: epochs without a better validation result before training ends.
        validation_fraction: share of the papers given to ``fit`` that chooses the epoch, where it gets no others.
        seed: of split, weights, batches and dropout.
        device: where the network is.

    Attributes:
        venues_: the venues, in the order of the columns of scores.
        vocabulary_: the known words, the most frequent first.
        history_: loss and validation metrics of each epoch.

    Example:
        >>> papers = {
        ...     "title": ["Parsing sentences", "Deep image features", "Grammar of words", "Image segmentation"] * 8,
        ...     "venue": ["ACL", "CVPR", "ACL", "CVPR"] * 8,
        ... }
        >>> small = {"filters": 8, "hidden": 8, "dropout": 0.1, "learning_rate": 0.02, "batch_size": 8, "min_count": 1}
        >>> recommender = VenueRecommender(fields=["title"], **small).fit(papers)
        >>> [(venue, score)] = recommender.recommend(title="Features of an imgae", k=1)
        >>> venue, recommender.word_share("image")
        ('CVPR', {'CVPR': 1.0, 'ACL': 0.0})

    Reference:
        Chapter 8 and Figure 8.1; Kobs, Koopmann, Zehe, Fernes, Krop, Hotho: *Where to Submit? Helping researchers to
        choose the right venue*, Findings of EMNLP 2020.
    """

    def fit(
        self,
        data: Data,
        *,
        validation: Data | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Learn from papers whose venues are known.

        Args:
            data: a path to a .parquet (extra ``parquet``), .csv or .jsonl file, a mapping of columns, or a table of
                pyarrow, pandas or polars.
            validation: papers that choose the epoch. By default a stratified part of ``data`` is kept back for it.
            checkpoint: a file that keeps the state of the training after each epoch. If ``fit`` was stopped, the same
                call goes on from there, with the result of an unbroken training; remove the file once the model is
                saved. The file of another training (other papers or options) is replaced.
            progress: show a bar; by default only in a terminal.

        Returns:
            Itself.

        Raises:
            ValueError: a column is missing, a paper has no venue, there are fewer than two venues, or ``validation``
                has others.
        """
        papers = self._read(data)
        if validation is None:
            if not self.validation_fraction:
                raise value_error("validation", "papers, or a validation_fraction above 0", "neither")
            fractions = (1 - self.validation_fraction, self.validation_fraction)
            rows, held_out = stratified_split(papers.venues, fractions, seed=self.seed)
            papers, validated = papers.take(rows), papers.take(held_out)
        else:
            validated = self._read(validation)
        if len(set(papers.venues)) < 2:
            raise value_error("data", "papers of at least two venues", sorted(set(papers.venues)))
        if not len(validated):
            raise value_error("data", "enough papers of a venue to keep some back for validation", "too few")
        if unknown := sorted(set(validated.venues) - set(papers.venues)):
            raise value_error("validation", f"venues of the training papers {sorted(set(papers.venues))}", unknown)
        kept = None
        if checkpoint is not None:
            parameters = {name: value for name, value in self.get_params().items() if name != "device"}
            learned_from = [(one.texts, one.venues) for one in (papers, validated)]
            kept = Checkpoint(as_path("checkpoint", checkpoint), [parameters, learned_from])
        self._keep(learn_model(self, papers, validated, checkpoint=kept, progress=progress))
        return self

    def recommend(self, *, k: int = 5, **texts: str | None) -> list[tuple[str, float]]:
        """Return the ``k`` most probable venues of a paper and their probabilities, the best first.

        Args:
            k: number of venues; all when there are fewer.
            **texts: the fields, such as ``title="..."``. Fields may be left out.

        Raises:
            ValueError: no field has a word that is known, or there is no such field.
        """
        positive("k", k)
        scores = predict(self._fitted().network, self._encode_one(as_texts(texts, self.fields)))[0]
        order = scores.argsort(descending=True, stable=True)[: min(k, len(scores))].tolist()
        return [(self.venues_[column], scores[column].item()) for column in order]

    def explain(
        self,
        *,
        venues: Sequence[str] | None = None,
        k: int = 1,
        output: Literal["probability", "logit"] = "probability",
        n_steps: int = 50,
        palette: Palette = "green-red",
        **texts: str | None,
    ) -> list[Explanation]:
        """Say which words speak for and against venues, by integrated gradients over all fields at once.

        Args:
            venues: the venues to explain, recommended or not. By default the ``k`` most probable ones.
            k: number of venues where none are named.
            output: what is attributed, the softmax probability of the venue or its logit.
            n_steps: steps of the integral; memory does not grow with it.
            palette: colours of the highlights, ``"green-red"`` or ``"blue-orange"``.
            **texts: the fields, as in ``recommend``.

        Returns:
            One explanation per venue.

        Raises:
            ValueError: a venue is unknown, no field has a word that is known, or there is no such field.

        Reference:
            Chapter 8, Eq. 8.1; Sundararajan, Taly, Yan: *Axiomatic attribution for deep networks*, ICML 2017.
        """
        choice("output", output, ("probability", "logit"))
        positive("n_steps", n_steps)
        if n_steps < 2:
            raise value_error("n_steps", "at least 2", n_steps)
        check_palette(palette)
        model, given = self._fitted(), as_texts(texts, self.fields)
        if venues is None:
            venues = [venue for venue, _ in self.recommend(k=k, **given)]
        venues = as_strings("venues", venues)
        if unknown := [venue for venue in venues if venue not in self.venues_]:
            raise value_error("venues", f"some of {self.venues_}", unknown)
        columns = {venue: self.venues_.index(venue) for venue in venues}
        words = self._encode_one(given)
        return explain_venues(model.network, words, given, columns, output=output, n_steps=n_steps, palette=palette)

    def word_share(self, word: str) -> dict[str, float]:
        """Return the share of each venue's training papers that contain a word, the largest share first.

        Raises:
            ValueError: the word is not in the vocabulary.

        Reference:
            Section 8.3: "learning" is in 26 % of the CVPR papers, but in 56 % of the ICML papers.
        """
        model = self._fitted()
        check_type("word", word, str, "a string")
        number = model.vocabulary.number(word.lower())
        if not number:
            raise value_error("word", "a word of the vocabulary", word)
        shares = (model.word_papers[number - 1] / model.venue_papers).tolist()
        return dict(sorted(zip(model.venues, shares), key=lambda item: -item[1]))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``model.safetensors`` and ``model.json`` into a folder."""
        parameters = {name: value for name, value in self.get_params().items() if name != "device"}
        _storage.save(folder, parameters, self._fitted())

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "cpu") -> VenueRecommender:
        """Read what ``save`` wrote.

        Raises:
            FileNotFoundError: there is no model.
            ValueError: the folder is of another version, or its files are damaged or not of one model.
        """
        parameters, model = _storage.load(
            folder, lambda options, words, venues: new_network(cls(**options), n_words=words, n_venues=venues)
        )
        recommender = cls(**parameters, device=device)
        frozen(model.network.to(device))
        recommender._keep(model)
        return recommender

    @property
    def vocabulary_(self) -> list[str]:
        """The known words, the most frequent first."""
        return self._fitted().vocabulary.words

    @property
    def history_(self) -> list[dict[str, float]]:
        """Loss and validation metrics of each epoch."""
        return self._fitted().history

    def _keep(self, model: Model) -> None:
        self._model, self.venues_ = model, model.venues

    def _fitted(self) -> Model:
        self._check_fitted()
        return self._model

    def _encode(self, texts: Mapping[str, Sequence[str]]) -> list[Tensor]:
        """Return the word numbers of each field ``(n, max_tokens)``."""
        vocabulary = self._fitted().vocabulary
        return [vocabulary.encode(texts[field], self.max_tokens, typos=True) for field in self.fields]

    def _encode_one(self, texts: Mapping[str, str]) -> list[Tensor]:
        words = self._encode({field: [text] for field, text in texts.items()})
        if not any(field.any() for field in words):
            raise value_error("text", "at least one word of the training papers", "none")
        return words

    def _scores(self, papers: Papers) -> NDArray[np.float64]:
        return predict(self._fitted().network, self._encode(papers.texts)).double().numpy()

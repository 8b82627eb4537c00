"""The network trained on weak labels (extra ``torch``)."""

from ._classifier import TextClassifier
from ._textcnn import TextCNN
from ._training import Trained, train_textcnn

__all__ = ["TextCNN", "TextClassifier", "Trained", "train_textcnn"]

"""clip-aesthetics' loss and metric in a training of Lightning's, of a head on stored embeddings."""

import pytest
import pytorch_lightning as lightning
import torch
from clip_aesthetics import EMDLoss, NIMAHead, evaluate, mean_score
from clip_aesthetics.metrics import RatingSpearman
from torch.utils.data import DataLoader, TensorDataset

RATINGS = torch.arange(1.0, 11)
EMBEDDINGS = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
MEANS = 5.5 + EMBEDDINGS[:, 0].clamp(-2, 2)
VOTES = (-((RATINGS - MEANS[:, None]) ** 2) / 4).softmax(1)


# Lightning's own, of torch's tree of loaders.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
def test_lightning(shown):
    class Rater(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.head, self.spearman = NIMAHead(8, dropout=0.0), RatingSpearman(n_resamples=50)
            self.loss = shown("clip-aesthetics", "EMDLoss()", EMDLoss=EMDLoss)

        def training_step(self, batch, _):
            embeddings, votes = batch
            return self.loss(self.head(embeddings), votes)

        def validation_step(self, batch, _):
            embeddings, votes = batch
            self.spearman.update(mean_score(self.head(embeddings)), mean_score(votes))

        def on_validation_epoch_end(self):
            shown("clip-aesthetics", "self.log_dict(", self=self)
            self.spearman.reset()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.01)

    train = DataLoader(TensorDataset(EMBEDDINGS[:300], VOTES[:300]), batch_size=50)
    validation = DataLoader(TensorDataset(EMBEDDINGS[300:], VOTES[300:]), batch_size=30)
    off = ["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"]
    trainer = lightning.Trainer(max_epochs=5, accelerator="cpu", num_sanity_val_steps=0, **dict.fromkeys(off, False))
    rater = Rater()
    trainer.fit(rater, train, validation)
    with torch.no_grad():
        predicted = mean_score(rater.head(EMBEDDINGS[300:]))
    expected = evaluate({"head": predicted}, mean_score(VOTES[300:]), n_resamples=50).rows["head"]["spearman"]
    logged = {name: value.item() for name, value in trainer.logged_metrics.items()}
    assert logged["spearman"] == pytest.approx(expected.value, abs=1e-6)
    assert logged["spearman_low"] == pytest.approx(expected.low, abs=1e-6)
    assert logged["spearman"] > 0.8

"""SimLoss in the training code of HuggingFace, Lightning and skorch: the argument that names the loss changes.

With the identity as similarity each host must train exactly as it does with cross entropy, so the host's own way of
calling its loss (arguments, reduction, gradient accumulation) is met; with an order of the classes it must not.
"""

import pytest
import torch
from simloss import OrdinalSimilarity, SimLoss
from torch import nn

IDENTITY, ORDINAL = torch.eye(5), OrdinalSimilarity(5, 0.5)
INPUTS = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
GRADES = torch.bucketize(INPUTS[:, 0].contiguous(), torch.tensor([-1.0, -0.3, 0.3, 1.0]))


def same(state, other):
    return all(torch.allclose(state[name], other[name], atol=1e-6) for name in state)


@pytest.fixture
def huggingface(tmp_path):
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    tokens = torch.randint(50, (32, 7), generator=torch.Generator().manual_seed(1))
    items = [{"input_ids": row, "labels": grade} for row, grade in zip(tokens, GRADES)]
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}

    def train(batch=8, accumulated=1, **changed):
        torch.manual_seed(0)
        model = BertForSequenceClassification(BertConfig(vocab_size=50, num_labels=5, hidden_dropout_prob=0, **size))
        options = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulated, "max_steps": 4}
        arguments = TrainingArguments(tmp_path, **options, report_to=[], use_cpu=True, disable_tqdm=True)
        trainer = Trainer(model, arguments, train_dataset=items, eval_dataset=items[:8], **changed)
        trainer.train()
        return model.state_dict(), trainer.evaluate()["eval_loss"]

    return train


def test_huggingface_trainer(huggingface, shown):
    def in_trainer(similarity):
        total = shown("simloss", "total = ", SimLoss=SimLoss, similarity=similarity)
        return {"compute_loss_func": shown("simloss", "lambda o, y", total=total)}

    (plain, plain_loss), (identity, identity_loss) = huggingface(), huggingface(**in_trainer(IDENTITY))
    assert same(plain, identity)
    assert identity_loss == pytest.approx(plain_loss, abs=1e-6)
    ordinal, ordinal_loss = huggingface(**in_trainer(ORDINAL))
    assert not same(plain, ordinal)
    assert ordinal_loss < plain_loss
    assert same(ordinal, huggingface(batch=4, accumulated=2, **in_trainer(ORDINAL))[0])


# Lightning's own, of torch's tree of loaders.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
def test_lightning(shown):
    import pytorch_lightning as lightning

    class Classifier(lightning.LightningModule):
        def __init__(self, loss):
            super().__init__()
            torch.manual_seed(0)
            self.model, self.loss = nn.Linear(6, 5), loss

        def training_step(self, batch, _):
            inputs, target = batch
            return self.loss(self.model(inputs), target)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def train(loss):
        batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, GRADES), batch_size=8)
        off = ["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"]
        classifier = Classifier(loss)
        lightning.Trainer(max_epochs=2, accelerator="cpu", **dict.fromkeys(off, False)).fit(classifier, batches)
        return classifier.model.state_dict()

    plain, identity, ordinal = (
        train(loss)
        for loss in (
            nn.CrossEntropyLoss(),
            *(
                shown("simloss", "loss = ", SimLoss=SimLoss, similarity=similarity)
                for similarity in (IDENTITY, ORDINAL)
            ),
        )
    )
    assert same(plain, identity)
    assert not same(plain, ordinal)


def test_skorch(shown):
    from sklearn.model_selection import GridSearchCV
    from skorch import NeuralNetClassifier

    def classifier(net, **changed):
        torch.manual_seed(0)
        return NeuralNetClassifier(net(6, 5), max_epochs=3, lr=0.1, train_split=None, verbose=0, **changed)

    plain = classifier(nn.Linear, criterion=nn.CrossEntropyLoss).fit(INPUTS, GRADES)
    names = {"NeuralNetClassifier": classifier, "net": nn.Linear, "SimLoss": SimLoss, "Softmax": nn.Softmax}
    identity = shown("simloss", "NeuralNetClassifier(", **names, similarity=IDENTITY).fit(INPUTS, GRADES)
    assert same(plain.module_.state_dict(), identity.module_.state_dict())
    assert identity.predict_proba(INPUTS) == pytest.approx(plain.predict_proba(INPUTS), abs=1e-6)
    grid = {"criterion__similarity": [IDENTITY, ORDINAL]}
    search = GridSearchCV(identity, grid, cv=2, scoring="accuracy").fit(INPUTS.numpy(), GRADES.numpy())
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert 0.2 < search.best_score_ <= 1

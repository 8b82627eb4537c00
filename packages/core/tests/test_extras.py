import sys

import pytest
from priorkit_core import import_extra


def test_installed_module_is_returned():
    import json.decoder

    assert import_extra("json.decoder", package="nrprecision", extra="json") is json.decoder


def test_missing_partner_names_the_extra():
    with pytest.raises(ImportError, match=r'pip install "nrprecision\[faiss\]"'):
        import_extra("no_such_partner.index", package="nrprecision", extra="faiss")


def test_broken_partner_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_partner.py").write_text("import its_missing_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_missing_dependency"):
        import_extra("broken_partner", package="nrprecision", extra="faiss")
    sys.modules.pop("broken_partner", None)

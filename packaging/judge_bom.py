"""Fails where a list of parts is not what CycloneDX demands: .venv/packaging/bin/python judge_bom.py FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

if __name__ == "__main__":
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text("utf-8"))
    sys.exit(0 if error is None else f"{sys.argv[1]}: {error}")

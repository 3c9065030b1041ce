"""Which error texts people see, and what may stand behind each: the troubleshooting FAQ as a table.

The texts are those of the sources of botocore, the AWS CLI, the SDKs for Go (both), JavaScript (both), Java,
.NET, Rust, PHP and Ruby, of Terraform, Pulumi, CDK, SAM, eksctl, kubectl, Packer, Docker and its ECR helper,
git-remote-codecommit, aws-vault and s3fs; ``tests/fixtures/error_texts.txt`` names the source of each.
Nothing here looks at how things are; see ``explanation`` for that.
"""

from __future__ import annotations

from collections.abc import Iterator

from credtray.core.diagnosis import symptoms_around as around
from credtray.core.diagnosis import symptoms_of_files as files
from credtray.core.diagnosis import symptoms_of_keys as keys
from credtray.core.diagnosis import symptoms_of_sign_in as sign_in
from credtray.core.diagnosis.finding import Kind
from credtray.core.diagnosis.foreign import about_aws, whose
from credtray.core.diagnosis.symptom import Symptom

SYMPTOMS = (*sign_in.SYMPTOMS, *keys.SYMPTOMS, *files.SYMPTOMS, *around.SYMPTOMS)
"""More than one may fit a text; each stands for itself."""


def fitting(text: str, *, lines: bool = False) -> tuple[Symptom, ...]:
    """Return the symptoms in a text, the outermost first: what follows is its detail.

    What only wraps another comes after everything it quotes, the innermost first.

    Args:
        text: with single blanks; see ``pasted.readable``.
        lines: there were several lines, so that words may be broken.
    """
    together = text.replace(" ", "")
    found = list(_found(text, together, broken=lines)) or list(_found(text, together, broken=True))
    if whose(text) is not None and not about_aws(text):
        found = [(at, item) for at, item in found if not item.general]
    return tuple(item for _, item in sorted(found, key=_place))


def _found(text: str, together: str, *, broken: bool) -> Iterator[tuple[int, Symptom]]:
    for item in SYMPTOMS:
        match = item.squeezed.search(together) if broken else item.pattern.search(text)
        if match is not None:
            yield match.start(), item


def _place(found: tuple[int, Symptom]) -> tuple[bool, int]:
    at, item = found
    return item.wraps, -at if item.wraps else at


def texts_of(kind: Kind) -> tuple[str, ...]:
    """Return the error texts that people see when this is the cause."""
    return tuple(item.text for item in SYMPTOMS if kind in item.causes)

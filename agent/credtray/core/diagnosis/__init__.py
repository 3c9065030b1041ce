"""The doctor: what was observed becomes findings, each with its cause and its cure. Pure.

``findings(facts)`` says what is wrong here; ``explain(text, facts)`` what an error text means here.
"""

from credtray.core.diagnosis.explanation import Explanation, Standing, explain, not_ours
from credtray.core.diagnosis.facts import Facts
from credtray.core.diagnosis.finding import Finding, Group, Kind, Repair, Severity, Sight
from credtray.core.diagnosis.kinds import BY_CODE, EVERY_KIND
from credtray.core.diagnosis.rules import findings
from credtray.core.diagnosis.symptoms import SYMPTOMS, texts_of

__all__ = [
    "BY_CODE",
    "EVERY_KIND",
    "SYMPTOMS",
    "Explanation",
    "Facts",
    "Finding",
    "Group",
    "Kind",
    "Repair",
    "Severity",
    "Sight",
    "Standing",
    "explain",
    "findings",
    "not_ours",
    "texts_of",
]
